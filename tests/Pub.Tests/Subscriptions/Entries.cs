using System.Text;
using Pub.Topics;

namespace Pub.Tests.Subscriptions;

/// <summary>Entries for tests, as their bytes and decoded.</summary>
internal static class Entries
{
    private static readonly PubRuntime Runtime = new(seed: 1);

    public static ReadOnlyMemory<byte> Encode(params OutgoingMessage[] messages)
    {
        var writer = new EntryWriter();
        foreach (var message in messages)
        {
            Assert.True(writer.TryAdd(MessageEncoder.Encode(message, Runtime, 1 << 20)));
        }

        return writer.Finish("writer", "append", 1);
    }

    public static OutgoingMessage Message(string id, string? key = null, TimeSpan? timeToLive = null, DateTimeOffset? sent = null) =>
        new() { Id = id, Key = key, ContentType = "text/plain", Body = Encoding.UTF8.GetBytes(id), TimeToLive = timeToLive, Sent = sent };

    /// <summary>An entry of so many messages; their ids are the offset and the index.</summary>
    public static Entry Of(long offset, int messages = 1) =>
        EntryCodec.Decode(Encode([.. Enumerable.Range(0, messages).Select(index => Message($"{offset}.{index}"))]));

    public static Entry Tombstone() => EntryCodec.Decode(EntryCodec.EncodeTombstone("writer", "append", 1));

    public static Entry Undecodable() => EntryCodec.Decode("{\"v\":1,"u8.ToArray());
}
