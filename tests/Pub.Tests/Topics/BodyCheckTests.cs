using System.Text;
using System.Text.Json;
using CsCheck;
using Pub.Topics;

namespace Pub.Tests.Topics;

public class BodyCheckTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"a\":[1,-2.5e3,true,false,null,\"\\u00e9é\\n\"]}")]
    [InlineData("{ \"a\" : 1 ,\r\n\t\"a\":2 }")]
    [InlineData("[1e400,-0,\"\\ud800\"]")]
    public void IsEmbeddable_StrictObjectOrArray_Yes(string body) => Assert.True(BodyCheck.IsEmbeddable(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("1")]
    [InlineData("\"{}\"")]
    [InlineData(" {}")]
    [InlineData("{} ")]
    [InlineData("\uFEFF{}")]
    [InlineData("{}{}")]
    [InlineData("{},{}")]
    [InlineData("[1,]")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{/**/}")]
    [InlineData("[1]//]")]
    [InlineData("{\"a\":1},{\"b\":1}")]
    [InlineData("[01]")]
    [InlineData("[\"\n\"]")]
    [InlineData("{]")]
    [InlineData("[}")]
    public void IsEmbeddable_AnythingElse_No(string body) => Assert.False(BodyCheck.IsEmbeddable(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData(new byte[] { 0xC3, 0x28 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xFF })]
    public void IsEmbeddable_InvalidUtf8InAString_No(byte[] inside) => Assert.False(BodyCheck.IsEmbeddable([.. "[\""u8, .. inside, .. "\"]"u8]));

    [Theory]
    [InlineData(24, true)]
    [InlineData(25, false)]
    [InlineData(10_000, false)]
    public void IsEmbeddable_Depth_UpTo24(int depth, bool expected)
    {
        Assert.Equal(expected, BodyCheck.IsEmbeddable(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth))));
        var objects = string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
        Assert.Equal(expected, BodyCheck.IsEmbeddable(Encoding.UTF8.GetBytes(objects)));
    }

    [Fact]
    public void IsEmbeddable_WhateverItTakes_StandsAloneInAnArray()
    {
        var pieces = Gen.OneOfConst("{", "}", "[", "]", "\"", "\\", ",", ":", "1", "\"a\":", "null", " ", "é", "{}", "[]", "//");
        pieces.Array[0, 10].Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts))).Sample(body =>
        {
            if (!BodyCheck.IsEmbeddable(body))
            {
                return true;
            }

            using var document = JsonDocument.Parse((byte[])[.. "[1,"u8, .. body, .. ",2]"u8]);
            return document.RootElement.GetArrayLength() == 3 && document.RootElement[1].ValueKind is JsonValueKind.Object or JsonValueKind.Array;
        });
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("Application/JSON ; charset=utf-8", true)]
    [InlineData("application/vnd.masstransit+json", true)]
    [InlineData("application/problem+json;x=y", true)]
    [InlineData("application/jsonl", false)]
    [InlineData("text/json", false)]
    [InlineData("text/plain; a=+json", false)]
    [InlineData("", false)]
    public void IsJson_ContentType_ByItsMediaType(string contentType, bool expected) => Assert.Equal(expected, BodyCheck.IsJson(contentType));
}
