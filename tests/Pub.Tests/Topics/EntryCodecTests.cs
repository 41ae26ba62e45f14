using System.Text;
using CsCheck;
using Pub.Topics;

namespace Pub.Tests.Topics;

/// <summary>Bodies are exact bytes, whatever they are, and no message changes another (design 2, executions.md 25).</summary>
public class EntryCodecTests
{
    private const int Iterations = 3_000;
    private const int Limit = 20 * 1024 * 1024;
    private static readonly PubRuntime Runtime = new(seed: 1);

    public static TheoryData<string> EvilBodies =>
    [
        "", " ", "{", "}", "[", "]", "{}{}", "[][]", "{},{}", "{]", "[}", "{} ", " {}", "\n[]", "\uFEFF{}", "{\"a\":1}\0", "nul", "1", "\"text\"", "true",
        "1},{\"id\":\"evil\",\"body\":2",
        "1},{\"i\":\"evil\",\"s\":0,\"b\":{}",
        "{}},{\"i\":\"evil\",\"s\":0,\"b\":{}",
        "{\"a\":1}}],\"closed\":true,\"m\":[{\"i\":\"evil\",\"s\":0,\"b\":{}",
        "[1,2,]", "{\"a\":1,}", "{/* */}", "[1] // x", "{'a':1}", "{a:1}", "[NaN]", "[01]", "[+1]", "[.5]", "[1.]",
        "[\"\t\"]", "[\"\\x\"]", "[\"\\u12\"]", "[\"", "[\"\\\"]",
        "{\"a\":1,\"a\":2}", "[1e400]", "[-0, 1.0, 1E+2]", "{\"\\u0041\":\"\\u0041\"}", "[\"\\ud800\"]", "[\"\\udc00\\ud800\"]", "{ \"a\" :\r\n[ ] }",
        "[12345678901234567890123456789]", "{\"b\":{\"b\":{}}}", "[\"}\",\"]\",\"\\\\\"]", "{\"e\":\"AA==\"}", "[\"\u2028é日😀\"]",
    ];

    [Theory]
    [MemberData(nameof(EvilBodies))]
    public void Decode_EvilBodyBetweenTwoOthers_AllThreeComeBackExactly(string body)
    {
        foreach (var contentType in new[] { "application/json", "application/vnd.masstransit+json", "text/plain" })
        {
            var entry = RoundTrip(Plain("first"), Message(Encoding.UTF8.GetBytes(body), contentType), Plain("last"));
            Assert.Null(entry.Error);
            Assert.Equal(["first", "id", "last"], entry.Messages.Select(m => m.Id));
            Assert.Equal(body, Encoding.UTF8.GetString(entry.Messages[1].Body.Span));
            Assert.Equal("{\"first\":1}", Encoding.UTF8.GetString(entry.Messages[0].Body.Span));
            Assert.Equal("{\"last\":1}", Encoding.UTF8.GetString(entry.Messages[2].Body.Span));
        }
    }

    [Fact]
    public void Decode_AnyBytesAsBodies_ComeBackIdenticalAndHarmNoNeighbour()
    {
        // Random bytes are hardly ever nearly JSON; pieces of JSON are.
        var pieces = Gen.OneOfConst("{", "}", "[", "]", "\"", "\\", ",", ":", "1", "\"a\":", "null", " ", "\u0000", "é", "b", "e", "\\u0041", "{}", "[]");
        var body = Gen.OneOf(Gen.Byte.Array, pieces.Array[0, 12].Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts))));
        var contentType = Gen.OneOfConst("application/json", "a/b+json; charset=utf-8", "application/octet-stream", "");
        Gen.Select(body, contentType).Array[1, 8].Sample(messages =>
        {
            var entry = RoundTrip(messages.Select(m => Message(m.Item1, m.Item2)).ToArray());
            return entry.Error is null && entry.Messages.Length == messages.Length && entry.Messages.Zip(messages).All(pair =>
                pair.First.Body.Span.SequenceEqual(pair.Second.Item1) && pair.First.Size == pair.Second.Item1.Length
                && pair.First.ContentType == pair.Second.Item2);
        }, iter: Iterations);
    }

    [Fact]
    public void Decode_AnyStrings_ComeBackIdentical()
    {
        // Gen.Char makes lone surrogates too.
        var text = Gen.OneOf(Gen.Char.Array[0, 20].Select(chars => new string(chars)), Gen.OneOfConst("", "\"", "\\", "a\tb", "\ud800", "x\udc00\ud800y", "\ud83d\ude00", "é日"));
        var headers = Gen.Select(text, text).Array[0, 4].Select(pairs => pairs.DistinctBy(p => p.Item1).ToDictionary(p => p.Item1, p => p.Item2));
        Gen.Select(text, text, text, text, headers).Sample((id, key, type, contentType, expected) =>
        {
            var sent = new OutgoingMessage { Id = id, Key = key, Type = type, ContentType = contentType, Headers = expected, Body = new byte[] { 1 } };
            var entry = RoundTrip(Plain("first"), sent, Plain("last"));
            var got = entry.Messages[1];
            return (got.Id, got.Key, got.Type, got.ContentType) == (id, key, type, contentType)
                && got.Headers.Count == expected.Count && expected.All(h => got.Headers[h.Key] == h.Value)
                && entry.Messages[0].Id == "first" && entry.Messages[2].Id == "last";
        }, iter: Iterations);
    }

    [Fact]
    public void Decode_MessageWithNothingSaid_HasTheDefaults()
    {
        var before = DateTimeOffset.UtcNow.AddMilliseconds(-1);
        var message = RoundTrip(new OutgoingMessage()).Messages[0];
        Assert.Equal(24, message.Id.Length);
        Assert.Null(message.Key);
        Assert.Null(message.Type);
        Assert.Equal("application/json", message.ContentType);
        Assert.Empty(message.Headers);
        Assert.Null(message.Expires);
        Assert.True(message.Body.IsEmpty);
        Assert.Equal(0, message.Size);
        Assert.InRange(message.Sent, before, DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Fact]
    public void Decode_SentAndTimeToLive_ToTheMillisecond()
    {
        var sent = new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2));
        var message = RoundTrip(new OutgoingMessage { Sent = sent, TimeToLive = TimeSpan.FromSeconds(90) }).Messages[0];
        Assert.Equal(sent, message.Sent);
        Assert.Equal(sent.AddSeconds(90), message.Expires);
        Assert.Null(RoundTrip(new OutgoingMessage { TimeToLive = TimeSpan.MaxValue }).Messages[0].Expires);
        Assert.Throws<ArgumentOutOfRangeException>("TimeToLive", () => new OutgoingMessage { TimeToLive = TimeSpan.Zero });
    }

    [Fact]
    public void ToOutgoing_AMessagePublishedAgain_IsTheSame()
    {
        var sent = new OutgoingMessage
        {
            Id = "i",
            Key = "k",
            Type = "y",
            ContentType = "text/plain",
            Headers = new Dictionary<string, string> { ["h"] = "1" },
            Body = new byte[] { 1, 2 },
            Sent = DateTimeOffset.UnixEpoch.AddDays(1),
            TimeToLive = TimeSpan.FromSeconds(3),
        };
        var first = RoundTrip(sent);
        var second = RoundTrip(first.Messages[0].ToOutgoing());
        Assert.Equal(first.Content.ToArray(), second.Content.ToArray());

        var changed = RoundTrip(first.Messages[0].ToOutgoing(new Dictionary<string, string> { ["h"] = "2" }, expires: false)).Messages[0];
        Assert.Equal(("2", null, "i"), (changed.Headers["h"], changed.Expires, changed.Id));
    }

    [Fact]
    public void Decode_Entry_HasWriterAppendIdAndTime()
    {
        var writer = new EntryWriter();
        writer.TryAdd(MessageEncoder.Encode(Plain("a"), Runtime, Limit));
        var content = writer.Finish("writer", "append", 123);
        var entry = EntryCodec.Decode(content);
        Assert.Equal(("writer", "append", 123L, false), (entry.Writer, entry.AppendId, entry.Written, entry.IsTombstone));
        Assert.Equal(content.Length, entry.EncodedBytes);
        Assert.True(EntryCodec.TryReadOwner(content.Span, out var owner, out var append));
        Assert.Equal(("writer", "append"), (owner, append));
        Assert.StartsWith("{\"v\":1,\"w\":\"writer\",\"a\":\"append\",\"t\":123,\"m\":[{\"i\":\"a\",\"s\":", Encoding.UTF8.GetString(content.Span));
    }

    [Fact]
    public void Decode_Tombstone_IsOneAndHasItsOwner()
    {
        var content = EntryCodec.EncodeTombstone("writer", "append", 123);
        Assert.Equal("{\"v\":1,\"w\":\"writer\",\"a\":\"append\",\"t\":123,\"closed\":true}", Encoding.UTF8.GetString(content));
        var entry = EntryCodec.Decode(content);
        Assert.True(entry.IsTombstone);
        Assert.Empty(entry.Messages);
        Assert.Equal(("writer", "append", 123L), (entry.Writer, entry.AppendId, entry.Written));
        Assert.True(EntryCodec.TryReadOwner(content, out _, out var append));
        Assert.Equal("append", append);
    }

    [Fact]
    public void Decode_UnknownFieldsAnywhere_ArePassedOver()
    {
        var entry = Decode("""{"v":1,"z":{"m":[{}]},"w":"w","a":"a","t":1,"m":[{"new":[1,{"b":2}],"i":"x","s":1,"b":{},"C":"?"}],"y":null}""");
        Assert.Null(entry.Error);
        Assert.Equal("x", entry.Messages[0].Id);
    }

    [Fact]
    public void Decode_NewerVersion_ThrowsFormatVersion()
    {
        var exception = Assert.Throws<FormatVersionException>(() => Decode("""{"v":2,"w":"w","a":"a","t":1,"m":7}"""));
        Assert.Equal((2, 1), (exception.Found, exception.Supported));
    }

    private static Entry Decode(string json) => EntryCodec.Decode(Encoding.UTF8.GetBytes(json));

    private static OutgoingMessage Plain(string id) => new() { Id = id, Body = Encoding.UTF8.GetBytes($$"""{"{{id}}":1}""") };

    private static OutgoingMessage Message(byte[] body, string contentType) => new() { Id = "id", ContentType = contentType, Body = body };

    private static Entry RoundTrip(params OutgoingMessage[] messages)
    {
        var writer = new EntryWriter();
        foreach (var message in messages)
        {
            Assert.True(writer.TryAdd(MessageEncoder.Encode(message, Runtime, Limit)));
        }

        return EntryCodec.Decode(writer.Finish("writer", "append", 1));
    }
}
