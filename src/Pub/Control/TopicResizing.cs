using Pub.Storage;
using Pub.Topics;

namespace Pub.Control;

/// <summary>
/// Adds shards to a topic, so that keys keep their order (docs/decisions/0013-adding-shards.md). With S shards a key of shard s is in s, s + S, s + 2S …
/// afterwards. Steps, each of which can be repeated:
/// <code>
/// 1. documents of new shards, held back by a fence whose offset is not known yet
/// 2. part 0: the new number of shards, and a jump of two lives in its old shards: who appends by the old map finds another life, and looks again
/// 3. the other old parts: the same jump
/// 4. the fences: where each old shard's last offset by the old map lies
/// </code>
/// Holds no state.
/// </summary>
internal sealed class TopicResizing(ControlContext context)
{
    public async Task AddAsync(TopicName topic, int shards, CancellationToken cancellationToken)
    {
        var found = await context.TopicAsync(topic, cancellationToken);
        if (Enumerable.Range(0, found.ShardCount).Any(n => found[n].Fence is { IsPending: true }) || await IsHalfJumpedAsync(topic, found, cancellationToken))
        {
            // An addition was cut short: it is completed first.
            await FinishAsync(topic, found.ShardCount, cancellationToken);
            found = await context.TopicAsync(topic, cancellationToken);
        }

        if (shards == found.ShardCount)
        {
            return;
        }

        if (shards < found.ShardCount)
        {
            throw new ArgumentException($"{topic} has {found.ShardCount} shards; shards can only be added.", nameof(shards));
        }

        await MakePartsAsync(found, shards, cancellationToken);
        await UpdateAsync(topic, 0, document => document.Shards >= shards ? null : ShardMap.Extended(document, shards), cancellationToken);
        await FinishAsync(topic, shards, cancellationToken);
    }

    private async Task<bool> IsHalfJumpedAsync(TopicName topic, TopicSnapshot found, CancellationToken cancellationToken)
    {
        for (var part = 1; part < found.PartCount; part++)
        {
            if (await ReadAsync(topic, part, cancellationToken) is { } document && document.Shards != found.ShardCount)
            {
                return true;
            }
        }

        return false;
    }

    private async Task MakePartsAsync(TopicSnapshot found, int shards, CancellationToken cancellationToken)
    {
        for (var part = Math.Max(1, found.PartCount); part < TopicDocument.PartCount(shards); part++)
        {
            var first = part * DocumentKeys.ShardsPerDocument;
            var made = TopicDocument.Create(found.Name, part, found.Settings with { Shards = shards }, found.IsTemporary, context.Runtime.UnixMilliseconds) with
            {
                Fences = [.. Enumerable.Range(first, DocumentKeys.ShardsPerDocument).Select(n => new[] { n % found.ShardCount, 0L })],
            };

            // One that lies there is of an addition that was cut short before anybody could see it, when another number may have been meant; or of one
            // that runs beside this. Nothing in use is ever overwritten.
            await context.Loop.UpdateAsync(
                DocumentKeys.Topic(found.Name, part),
                TopicDocument.Format,
                document => document is null || ShardMap.IsUntouched(document) ? made : null,
                WriteOptions.Synced,
                cancellationToken: cancellationToken);
        }
    }

    private async Task FinishAsync(TopicName topic, int shards, CancellationToken cancellationToken)
    {
        var parts = TopicDocument.PartCount(shards);
        for (var part = 1; part < parts; part++)
        {
            await UpdateAsync(topic, part, document => document.Shards >= shards ? null : ShardMap.Extended(document, shards), cancellationToken);
        }

        var documents = new List<TopicDocument>(parts);
        for (var part = 0; part < parts; part++)
        {
            documents.Add(await ReadAsync(topic, part, cancellationToken) ?? throw new DocumentFormatException($"Part {part} of {topic} is missing."));
        }

        for (var part = 0; part < parts; part++)
        {
            await UpdateAsync(topic, part, document => ShardMap.Fenced(document, documents), cancellationToken);
        }

        await context.Directory.RefreshAsync(topic, cancellationToken);
    }

    private async Task<TopicDocument?> ReadAsync(TopicName topic, int part, CancellationToken cancellationToken) =>
        TopicDocument.Read(topic, part, await context.Store.GetAsync(DocumentKeys.Topic(topic, part), cancellationToken));

    // The loser, mostly to a publisher's increment, reads the tails again.
    private Task UpdateAsync(TopicName topic, int part, Func<TopicDocument, TopicDocument?> change, CancellationToken cancellationToken) =>
        context.Loop.UpdateAsync(
            DocumentKeys.Topic(topic, part),
            TopicDocument.Format,
            document => document is null ? null : change(document),
            WriteOptions.Synced,
            cancellationToken: cancellationToken);
}
