using System.Text;
using CsCheck;
using Pub.Storage;
using Pub.Subscriptions;

namespace Pub.Tests.Subscriptions;

public sealed class CursorDocumentTests
{
    private const string Stored = """{"v":1,"token":5,"session":"s1","rewinds":2,"shards":[{"t":"t:orders","s":3,"f":[7,2],"r":[[8,0,9,1]],"c":[[7,2,3]],"a":40}]}""";

    private static readonly CursorDocument Document = new()
    {
        Token = 5,
        Session = "s1",
        Rewinds = 2,
        Shards = [new ShardCursor(new ShardId(TopicName.Topic("orders"), 3), At(7, 2), [new PositionRange(At(8, 0), At(9, 1))], [new DeliveredCount(At(7, 2), 3)], new Offset(40))],
    };

    [Fact]
    public void Write_KnownCursor_IsThisFormat() => Assert.Equal(Stored, Encoding.UTF8.GetString(Document.Write().Span));

    [Fact]
    public void Read_ThisFormat_IsTheKnownCursor()
    {
        var read = Read(Stored);

        Assert.Equal((5, "s1", 2), (read.Token, read.Session, read.Rewinds));
        var line = read.Shards.Single();
        Assert.Equal((Document.Shards[0].Shard, At(7, 2), new Offset(40)), (line.Shard, line.Floor, line.Ahead));
        Assert.Equal(Document.Shards[0].Settled, line.Settled);
        Assert.Equal(Document.Shards[0].Counts, line.Counts);
    }

    [Fact]
    public void Read_NewerVersion_IsRefused() =>
        Assert.Equal(2, Assert.Throws<FormatVersionException>(() => Read("""{"v":2,"token":[]}""")).Found);

    [Theory]
    [InlineData("""{"v":1,"shards":[{"t":"nothing","s":0,"f":[1,0]}]}""")]
    [InlineData("""{"v":1,"shards":[{"t":"t:orders","s":0,"f":[1]}]}""")]
    [InlineData("""{"v":1,"shards":[{"t":"t:orders","s":0,"f":[1,0],"r":[[1,2,3]]}]}""")]
    [InlineData("""{"v":1,"shards":[{"t":"t:orders","s":0,"f":[1,0],"c":[null]}]}""")]
    [InlineData("""{"v":1,"shards":[null]}""")]
    [InlineData("""{"v":1,"shards":null}""")]
    [InlineData("""[]""")]
    public void Read_Damaged_IsADocumentFormatException(string stored) => Assert.Throws<DocumentFormatException>(() => Read(stored));

    [Fact]
    public void Read_Missing_IsEmpty() => Assert.Same(CursorDocument.Empty, CursorDocument.Read(ReaderFixture.Key, StoredDocument.Missing));

    [Fact]
    public void WriteAndRead_AnyCursor_ComesBackAsItWas()
    {
        var position = Gen.Select(Gen.Long[1, 1L << 50], Gen.Int[0, 999], (offset, index) => At(offset, index));
        var line = Gen.Select(Gen.Int[0, 1023], position, position.Array[0, 6], Gen.Select(position, Gen.Int[1, 1000]).Array[0, 4], Gen.Long[0, 1L << 50]);
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Int[0, 9], line.Array[0, 5]).Sample((token, rewinds, lines) =>
        {
            var cursor = new CursorDocument { Token = token, Session = rewinds == 0 ? null : $"s{rewinds}", Rewinds = rewinds };
            foreach (var (shard, floor, settled, counts, ahead) in lines)
            {
                cursor = cursor.With(new ShardCursor(
                    new ShardId(TopicName.Queue("orders"), shard),
                    floor,
                    [.. settled.Select(from => new PositionRange(from, Position.EndOf(from.Offset)))],
                    [.. counts.Select(count => new DeliveredCount(count.Item1, count.Item2))],
                    new Offset(ahead)));
            }

            var bytes = cursor.Write();
            var again = CursorDocument.Read(ReaderFixture.Key, new StoredDocument(bytes, new Cas(1)));

            Assert.Equal(bytes.ToArray(), again.Write().ToArray());
            Assert.Equal(cursor.Shards.Select(other => other.Floor), again.Shards.Select(other => other.Floor));
            Assert.Equal(cursor.Shards.SelectMany(other => other.Settled), again.Shards.SelectMany(other => other.Settled));
            Assert.Equal(again.Shards.Select(other => other.Shard.Number).Order().Distinct(), again.Shards.Select(other => other.Shard.Number));
        });
    }

    private static Position At(long offset, int index) => new(new Offset(offset), index);

    private static CursorDocument Read(string stored) => CursorDocument.Read(ReaderFixture.Key, new StoredDocument(Encoding.UTF8.GetBytes(stored), new Cas(1)));
}
