using Pub.Subscriptions;
using Pub.Testing;

namespace Pub.Tests.Subscriptions;

public sealed class CursorEditsTests
{
    private readonly ReaderFixture _fixture = new();

    [Fact]
    public async Task EditAsync_HeldCursor_RaisesRewindsAndNeverTheToken()
    {
        await _fixture.WriteCursorAsync(new CursorDocument { Token = 7, Session = "a", Rewinds = 3 });

        await Edits().EditAsync(ReaderFixture.Key, Rewind, ReaderFixture.Cancellation);

        var cursor = _fixture.Cursor();
        Assert.Equal((7, "a", 4), (cursor.Token, cursor.Session, cursor.Rewinds));
        Assert.Equal(Position.Beginning, _fixture.Floor());
    }

    [Fact]
    public async Task EditAsync_HolderWritesInBetween_ReadsAgainAndKeepsWhatTheHolderWrote()
    {
        await _fixture.WriteCursorAsync(new CursorDocument { Token = 7, Session = "a" });
        var other = new ShardId(TopicName.Topic("others"), 0);
        _fixture.Store.Add(new StoreRule
        {
            Operation = StoreOperation.Replace,
            Before = () => _fixture.WriteCursorAsync(new CursorDocument { Token = 7, Session = "a" }.With(ShardCursor.At(other, Position.EndOf(new Offset(9))))),
        });

        await Edits().EditAsync(ReaderFixture.Key, Rewind, ReaderFixture.Cancellation);

        Assert.Equal(Position.EndOf(new Offset(9)), _fixture.Cursor().Find(other)!.Floor);
        Assert.Equal(1, _fixture.Cursor().Rewinds);
    }

    [Fact]
    public async Task EditAsync_NothingToChange_WritesNothing()
    {
        await Edits().EditAsync(ReaderFixture.Key, _ => null, ReaderFixture.Cancellation);

        Assert.Equal(0, _fixture.Store.Count(StoreOperation.Insert));
    }

    [Fact]
    public async Task EditAsync_MissingCursor_IsMade()
    {
        await Edits().EditAsync(ReaderFixture.Key, Rewind, ReaderFixture.Cancellation);

        Assert.Equal((0, 1), (_fixture.Cursor().Token, _fixture.Cursor().Rewinds));
    }

    private static CursorDocument Rewind(CursorDocument cursor) => cursor.With(ShardCursor.At(ReaderFixture.Shard, Position.Beginning));

    private CursorEdits Edits() => new(_fixture.Store, _fixture.Runtime);
}
