using Pub.Topics;

namespace Pub.Publishing;

/// <summary>The messages that one append takes, and the writer that makes them an entry. Owned by one runner; used again.</summary>
internal sealed class AppendBatch(ProducerOptions options, int maxDocumentBytes)
{
    private readonly EntryWriter _writer = new(options.MaxEntryMessages, Math.Min(options.MaxEntryBytes, maxDocumentBytes));

    public List<PendingPublish> Messages { get; } = [];

    /// <summary>What the messages take of the pending bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>Whether it counts among the appends of messages without key.</summary>
    public bool HasKeyless { get; set; }

    /// <summary>The last call when the messages were taken: what waited then has waited for this append too.</summary>
    public long TakenAt { get; set; }

    /// <summary>The entry in an array of its own, because readers of this process keep it.</summary>
    public byte[] Encode(string writer, string appendId, long nowMilliseconds)
    {
        _writer.Clear();
        foreach (var pending in Messages)
        {
            if (!_writer.TryAdd(pending.Message))
            {
                throw new InvariantException("An entry was made of more than fits into one.");
            }
        }

        return _writer.Finish(writer, appendId, nowMilliseconds).ToArray();
    }

    public void Clear()
    {
        Messages.Clear();
        Bytes = 0;
        HasKeyless = false;
    }
}
