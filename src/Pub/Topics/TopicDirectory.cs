#pragma warning disable CS9113 // signatures landed ahead of the code
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>Finds and creates topics. One per process and store.</summary>
internal sealed class TopicDirectory(IDocumentStore store, PubRuntime runtime, ILogger<TopicDirectory> logger)
{
    /// <summary>The topic as this process knows it (tails as old as that), else as stored; made and listed if there is none.</summary>
    /// <exception cref="ArgumentException">The settings cannot be used.</exception>
    public ValueTask<TopicSnapshot> GetOrCreateAsync(TopicName topic, TopicSettings? wanted = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The topic as this process knows it, else as stored; null if there is none.</summary>
    public ValueTask<TopicSnapshot?> FindAsync(TopicName topic, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>The topic as stored now; null if there is none.</summary>
    public ValueTask<TopicSnapshot?> RefreshAsync(TopicName topic, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Makes the topic of a temporary endpoint: one shard, not listed, not durable.</summary>
    public ValueTask<TopicSnapshot> CreateTemporaryAsync(TopicName topic, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Forgets what this process knows of the topic.</summary>
    public void Forget(TopicName topic) => throw new NotImplementedException();
}
