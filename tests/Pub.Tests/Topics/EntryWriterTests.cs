using System.Text;
using Pub.Topics;

namespace Pub.Tests.Topics;

public class EntryWriterTests
{
    private static readonly PubRuntime Runtime = new(seed: 1);
    private static readonly string LongId = new('w', EntryCodec.MaxIdLength);

    [Fact]
    public void TryAdd_MoreMessagesThanTheLimit_SaysNo()
    {
        var writer = new EntryWriter(maxMessages: 3);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => writer.TryAdd(Encoded(10))));
        Assert.Equal(3, EntryCodec.Decode(writer.Finish("w", "a", 1)).Messages.Length);
        writer.Clear();
        Assert.Equal(0, writer.Count);
        Assert.True(writer.TryAdd(Encoded(10)));
        Assert.Single(EntryCodec.Decode(writer.Finish("w", "a", 1)).Messages);
    }

    [Fact]
    public void TryAdd_MoreBytesThanTheLimit_SaysNoAndTheEntryStaysBelow()
    {
        var writer = new EntryWriter();
        var added = 0;
        while (writer.TryAdd(Encoded(5_000)))
        {
            added++;
        }

        Assert.Equal(added, writer.Count);
        Assert.InRange(writer.Size, EntryWriter.MaxBytes - 12_000, EntryWriter.MaxBytes);
        var content = writer.Finish(LongId, LongId, long.MinValue / 1_000_000);
        Assert.InRange(content.Length, 1, writer.Size);
        Assert.Equal(added, EntryCodec.Decode(content).Messages.Length);
    }

    [Fact]
    public void TryAdd_FirstMessageAboveTheEntrysLimit_IsTakenAlone()
    {
        var writer = new EntryWriter();
        Assert.True(writer.TryAdd(Encoded(3 * EntryWriter.MaxBytes)));
        Assert.False(writer.TryAdd(Encoded(1)));
        Assert.Equal(3 * EntryWriter.MaxBytes, EntryCodec.Decode(writer.Finish("w", "a", 1)).Messages[0].Size);
    }

    [Fact]
    public void Encode_LargestThatIsTaken_FitsIntoTheDocument()
    {
        const int limit = 100_000;
        var size = limit;
        MessageTooLargeException? refused = null;
        EncodedMessage? taken = null;
        for (; taken is null; size--)
        {
            try
            {
                taken = Encoded(size, limit);
            }
            catch (MessageTooLargeException exception)
            {
                refused = exception;
            }
        }

        Assert.Equal(limit + 1, refused!.Bytes);
        Assert.Equal(limit, refused.MaxBytes);
        var writer = new EntryWriter();
        writer.TryAdd(taken.Value);
        Assert.InRange(writer.Finish(LongId, LongId, long.MinValue / 1_000_000).Length, limit - 200, limit);
    }

    [Fact]
    public void Encode_LongTextThatNeedsEscapes_IsMeasuredAsStored()
    {
        var message = new OutgoingMessage { Id = "i", Key = new string('\u0001', 2_000), Body = "{}"u8.ToArray() };
        Assert.InRange(MessageEncoder.Encode(message, Runtime, 20_000).Size, 12_000, 12_100);
        Assert.Throws<MessageTooLargeException>(() => MessageEncoder.Encode(message, Runtime, 12_000));
    }

    [Fact]
    public void Encode_HeaderWithoutValue_ThrowsArgumentException()
    {
        var message = new OutgoingMessage { Headers = new Dictionary<string, string> { ["h"] = null! } };
        Assert.Throws<ArgumentException>("message", () => MessageEncoder.Encode(message, Runtime, 20_000));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a\"")]
    [InlineData("é")]
    public void EncodeTombstone_IdThatIsNone_ThrowsArgumentException(string id)
    {
        Assert.Throws<ArgumentException>(() => EntryCodec.EncodeTombstone(id, "a", 1));
        Assert.Throws<ArgumentException>(() => EntryCodec.EncodeTombstone("w", id, 1));
        Assert.Throws<ArgumentException>(() => EntryCodec.EncodeTombstone("w", LongId + "x", 1));
    }

    private static EncodedMessage Encoded(int bodyBytes, int limit = 20 * 1024 * 1024)
    {
        var body = Encoding.UTF8.GetBytes("[\"" + new string('x', Math.Max(0, bodyBytes - 4)) + "\"]");
        return MessageEncoder.Encode(new OutgoingMessage { Id = "id", Sent = DateTimeOffset.UnixEpoch, Body = body }, Runtime, limit);
    }
}
