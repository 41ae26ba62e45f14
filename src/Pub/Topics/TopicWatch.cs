#pragma warning disable CS9113 // signatures landed ahead of the code
using Microsoft.Extensions.Logging;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>An entry that a producer of this process has just confirmed: its shard, its offset, and the bytes as stored, which nobody may change.</summary>
internal delegate void EntryAppended(ShardId shard, Offset offset, ReadOnlyMemory<byte> encodedEntry);

/// <summary>
/// Tells this process's readers of every change of the topics they read. One per process and store.
/// </summary>
internal sealed class TopicWatch(IDocumentStore store, PubRuntime runtime, TopicDirectory directory, ILogger<TopicWatch> logger) : IAsyncDisposable
{
    /// <summary>
    /// Calls <paramref name="changed"/> with the topic's state as soon as it is known (perhaps before this returns) and with each later one, one call
    /// at a time, newest last; states may be skipped. A topic that does not exist yet is waited for. <paramref name="appended"/> is called for entries
    /// of this process, in any order with <paramref name="changed"/>. Both are called under no lock, must be quick and must not throw; one more
    /// call may come while and after the watch is disposed of.
    /// </summary>
    public IDisposable Watch(TopicName topic, Action<TopicSnapshot> changed, EntryAppended? appended = null) => throw new NotImplementedException();

    /// <summary>Hands a confirmed entry of this process to the local readers, so that they need neither wait nor read.</summary>
    public void Appended(ShardId shard, Offset offset, ReadOnlyMemory<byte> encodedEntry) => throw new NotImplementedException();

    /// <summary>Tells every process that the topic has new entries after a silence. Never fails: a lost bell delays readers by up to 30 s.</summary>
    public ValueTask RingAsync(TopicName topic) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
