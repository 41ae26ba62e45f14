using System.Text;
using CsCheck;
using Pub.Topics;

namespace Pub.Tests.Topics;

/// <summary>What cannot be decoded is an entry with an error: it never throws, so it never stops its shard.</summary>
public class DamagedEntryTests
{
    private static readonly byte[] Whole = Encoding.UTF8.GetBytes(
        """{"v":1,"w":"w","a":"a","t":5,"m":[{"i":"1","k":"k\n","y":"T","c":"x","h":{"a":"b"},"s":1,"x":2,"e":"AAEC"},{"i":"2","s":1,"b":{"é":[1]}}]}""");

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"v\":1")]
    [InlineData("""{"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{}}]}""")]
    [InlineData("""{"v":0,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{}}]}""")]
    [InlineData("""{"v":"1","w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":1,"a":"a","t":1,"m":[{"i":"1","s":1,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":{}}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[1]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"closed":false}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"closed":true,"m":[{"i":"1","s":1,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"s":1,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":null,"s":1,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":1}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{},"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{},"e":""}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"e":"A"}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"e":"A\u0041=="}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":9223372036854775807,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1.5,"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"h":{"a":1},"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"h":[],"b":{}}]}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{}}]}{}""")]
    [InlineData("""{"v":1,"w":"w","a":"a","t":1,"m":[{"i":"1","s":1,"b":{}}],}""")]
    public void Decode_NotAnEntry_IsUndecodableAndKeepsItsBytes(string json)
    {
        var content = Encoding.UTF8.GetBytes(json);
        var entry = EntryCodec.Decode(content);
        Assert.True(entry.IsUndecodable);
        Assert.NotNull(entry.Error);
        Assert.False(entry.IsTombstone);
        Assert.Empty(entry.Messages);
        Assert.Equal(content, entry.Content.ToArray());
    }

    [Fact]
    public void Decode_WholeEntry_IsDecoded() => Assert.Equal(2, EntryCodec.Decode(Whole).Messages.Length);

    [Fact]
    public void Decode_CutAnywhere_IsUndecodable()
    {
        for (var length = 0; length < Whole.Length; length++)
        {
            Assert.True(EntryCodec.Decode(Whole.AsMemory(0, length)).IsUndecodable, $"cut at {length}");
        }
    }

    [Fact]
    public void Decode_AnyByteExchanged_NeverThrowsAndWhatItDecodesCanBeRead()
    {
        for (var place = 0; place < Whole.Length; place++)
        {
            for (var value = 0; value < 256; value++)
            {
                var damaged = Whole.ToArray();
                damaged[place] = (byte)value;
                DecodeAndReadAll(damaged);
            }
        }
    }

    [Fact]
    public void Decode_AnyBytes_NeverThrows()
    {
        var spliced = Gen.Select(Gen.Int[0, Whole.Length], Gen.Byte.Array[0, 8], Gen.Int[0, Whole.Length])
            .Select((end, between, start) => Whole[..end].Concat(between).Concat(Whole[start..]).ToArray());
        Gen.OneOf(Gen.Byte.Array, spliced).Sample(DecodeAndReadAll, iter: 5_000);
    }

    [Fact]
    public void TryReadOwner_DamagedBytes_SaysNo()
    {
        foreach (var json in new[] { "", "[]", "{", "{}", """{"w":"w"}""", """{"w":1,"a":"a"}""", """{"w":"w","a":""" })
        {
            Assert.False(EntryCodec.TryReadOwner(Encoding.UTF8.GetBytes(json), out _, out _), json);
        }
    }

    private static void DecodeAndReadAll(byte[] content)
    {
        try
        {
            var entry = EntryCodec.Decode(content);
            foreach (var message in entry.Messages)
            {
                Assert.Equal(message.Size, message.Body.Length);
                _ = (message.Headers.Count, message.Sent, message.Expires);
            }

            EntryCodec.TryReadOwner(content, out _, out _);
        }
        catch (FormatVersionException exception)
        {
            Assert.True(exception.Found > EntryCodec.Version); // the version's digit itself was hit
        }
    }
}
