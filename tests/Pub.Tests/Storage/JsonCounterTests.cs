using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Pub.Storage;

namespace Pub.Tests.Storage;

public class JsonCounterTests
{
    [Theory]
    [InlineData("""{"n":9}""", "n", -1, 1, """{"n":10}""")]
    [InlineData("""{"n":10}""", "n", -1, -1, """{"n":9}""")]
    [InlineData("""{"n":0}""", "n", -1, -1, """{"n":-1}""")]
    [InlineData("""{"n":-0}""", "n", -1, 1, """{"n":1}""")]
    [InlineData("""{ "x" : {"n":1} , "n" : 1 , "n" : 5 }""", "n", -1, 1, """{ "x" : {"n":1} , "n" : 2 , "n" : 5 }""")]
    [InlineData("""{"a":[[1,2],{"b":[9]},3],"z":1e9}""", "a", 2, 4, """{"a":[[1,2],{"b":[9]},7],"z":1e9}""")]
    [InlineData("""{"n":"}","\u006e":1}""", "n", 0, 0, null)]
    [InlineData("""{"\u006e":1}""", "n", -1, 1, """{"\u006e":2}""")]
    [InlineData("""{"n":9223372036854775806}""", "n", -1, 1, """{"n":9223372036854775807}""")]
    [InlineData("""{"n":-9223372036854775807}""", "n", -1, -1, """{"n":-9223372036854775808}""")]
    public void Add_WholeNumber_ExchangesItsDigitsOnly(string json, string property, int index, long delta, string? expected)
    {
        if (expected is null)
        {
            Assert.Throws<DocumentFormatException>(() => Add(json, new(property, index), delta));
            return;
        }

        Assert.Equal(expected, Add(json, new(property, index), delta));
    }

    [Theory]
    [InlineData("", "n", -1)]
    [InlineData("1", "n", -1)]
    [InlineData("[1]", "n", 0)]
    [InlineData("{", "n", -1)]
    [InlineData("{}", "n", -1)]
    [InlineData("""{"n":""", "n", -1)]
    [InlineData("""{"n":1.0}""", "n", -1)]
    [InlineData("""{"n":1e3}""", "n", -1)]
    [InlineData("""{"n":"1"}""", "n", -1)]
    [InlineData("""{"n":null}""", "n", -1)]
    [InlineData("""{"n":9223372036854775808}""", "n", -1)]
    [InlineData("""{"n":[1,2]}""", "n", -1)]
    [InlineData("""{"n":[1,2]}""", "n", 2)]
    [InlineData("""{"n":{"0":1}}""", "n", 0)]
    [InlineData("""{"n":1}""", "n", 0)]
    [InlineData("""{"N":1}""", "n", -1)]
    [InlineData("\uFEFF{\"n\":1}", "n", -1)]
    public void Add_NoWholeNumberThere_ThrowsDocumentFormat(string json, string property, int index) =>
        Assert.Throws<DocumentFormatException>(() => Add(json, new(property, index), 1));

    [Theory]
    [InlineData("""{"n":9223372036854775807}""", 1)]
    [InlineData("""{"n":-9223372036854775808}""", -1)]
    public void Add_SumDoesNotFit_ThrowsOverflow(string json, long delta) => Assert.Throws<OverflowException>(() => Add(json, new("n"), delta));

    [Fact]
    public void Add_AnyNumbersInAnArray_ChangesTheOneAndNoOther() =>
        Gen.Select(Gen.Long[-1_000_000, 1_000_000].Array[1, 40], Gen.Int[0, 39], Gen.Long[-5_000_000, 5_000_000]).Sample((numbers, place, delta) =>
        {
            var index = place % numbers.Length;
            var json = $$"""{"id":"t:a","tails":[{{string.Join(',', numbers.Select(n => n.ToString(CultureInfo.InvariantCulture)))}}],"heads":[0,0]}""";
            var root = JsonNode.Parse(json)!;
            root["tails"]![index] = numbers[index] + delta;
            Assert.Equal(root.ToJsonString(), Add(json, new("tails", index), delta));
        });

    private static string Add(string json, CounterPath path, long delta)
    {
        var result = Encoding.UTF8.GetString(JsonCounter.Add(Encoding.UTF8.GetBytes(json), path, delta, out var value));
        Assert.Equal(value, JsonCounter.Read(Encoding.UTF8.GetBytes(result), path));
        return result;
    }
}
