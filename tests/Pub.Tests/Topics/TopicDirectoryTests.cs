using Microsoft.Extensions.Logging.Abstractions;
using Pub.Storage;
using Pub.Testing;
using Pub.Tests.Publishing;
using Pub.Topics;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Topics;

public class TopicDirectoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetOrCreateAsync_TwoProcessesWithOtherSettings_TheFirstDecides()
    {
        await using var first = new PublishingFixture();
        await using var second = new PublishingFixture(first.Store);

        var made = await first.Directory.GetOrCreateAsync(Orders, new TopicSettings { Shards = 32 }, Stop);
        var found = await second.Directory.GetOrCreateAsync(Orders, new TopicSettings { Shards = 4 }, Stop);

        Assert.Equal(32, made.ShardCount);
        Assert.Equal(32, found.ShardCount);
        Assert.Equal(2, found.PartCount);
        Assert.Equal(made.Settings, found.Settings);
    }

    [Fact]
    public async Task GetOrCreateAsync_NewTopic_IsListedFirst_PartZeroLast_AllDurable()
    {
        await using var fixture = new PublishingFixture();

        await fixture.Directory.GetOrCreateAsync(Orders, new TopicSettings { Shards = 64 }, Stop);

        var inserts = fixture.Store.Calls.Where(call => call.Operation == StoreOperation.Insert).ToList();
        Assert.Equal(DocumentCollection.Topology, inserts[0].Key.Collection);
        Assert.Equal([3, 2, 1, 0], inserts.Skip(1).Select(call => Enumerable.Range(0, 4).Single(part => call.Key == DocumentKeys.Topic(Orders, part))));
        Assert.All(inserts, call => Assert.True(call.Durable));
    }

    [Fact]
    public async Task GetOrCreateAsync_InsertOfUnknownOutcome_IsMadeOnce()
    {
        await using var fixture = new PublishingFixture();
        fixture.Store.Fail(StoreOperation.Insert, StoreFault.UnknownApplied, key => key.Collection == DocumentCollection.Offsets);

        var made = await fixture.EndAsync(fixture.Directory.GetOrCreateAsync(Orders, cancellationToken: Stop).AsTask());

        Assert.Equal(16, made.ShardCount);
        Assert.Equal(Offset.First, made[0].Head);
    }

    [Fact]
    public async Task CreateTemporaryAsync_IsNotListedAndHasOneShard()
    {
        await using var fixture = new PublishingFixture();

        var made = await fixture.Directory.CreateTemporaryAsync(TopicName.Queue("reply"), Stop);

        Assert.True(made.IsTemporary);
        Assert.Equal(1, made.ShardCount);
        Assert.Empty(await new Catalog(fixture.Store, fixture.Runtime).ListTopicsAsync(Stop));
    }

    [Fact]
    public async Task CloseAsync_Twice_RefusesAppendsAndKeepsWhereTheEntriesEnd()
    {
        await using var fixture = new PublishingFixture();
        var place = (await fixture.PublishAsync(Orders, Message("a", "k"))).Place;
        await fixture.Directory.CloseAsync(Orders, Stop);

        var closed = (await fixture.Directory.CloseAsync(Orders, Stop))!;

        Assert.True(closed.IsClosed);
        Assert.Equal(place.Position.Offset, closed[place.Shard.Number].Last);
        await Assert.ThrowsAsync<TopicClosedException>(() => fixture.PublishAsync(Orders, Message("b", "k")));
        Assert.Equal(["a"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task CloseAsync_BetweenReservationAndInsert_TheReservationStillCounts()
    {
        await using var fixture = new PublishingFixture();
        await fixture.PublishAsync(Orders, Message("a", "k"));
        fixture.Store.Add(new StoreRule
        {
            Operation = StoreOperation.Insert,
            Where = IsEntry,
            Before = async () => await fixture.Directory.CloseAsync(Orders, Stop),
        });

        await fixture.PublishAsync(Orders, Message("b", "k"));

        Assert.Equal(["a", "b"], await fixture.ReadIdsAsync(Orders));
    }

    [Fact]
    public async Task ReopenAsync_AfterClosing_GoesOnAboveEverything_AndIsEmpty()
    {
        await using var fixture = new PublishingFixture();
        var before = (await fixture.PublishAsync(Orders, Message("a", "k"))).Place;
        await fixture.Directory.CloseAsync(Orders, Stop);
        await fixture.Directory.ReopenAsync(Orders, Stop);

        var after = (await fixture.PublishAsync(Orders, Message("b", "k"))).Place;

        Assert.Equal(2, after.Position.Offset.Life);
        Assert.Equal(["b"], await fixture.ReadIdsAsync(Orders));
        var shard = (await fixture.Directory.RefreshAsync(Orders, Stop))![before.Shard.Number];
        Assert.Equal(shard.Head, shard.SkipJumps(before.Position.Offset.Next));
    }

    [Fact]
    public async Task RefreshAsync_DocumentOfAnotherTopic_IsRefused()
    {
        await using var fixture = new PublishingFixture();
        var other = TopicDocument.Create(TopicName.Topic("other"), 0, TopicSettings.Default, isTemporary: false, 0);
        await fixture.Store.InsertAsync(DocumentKeys.Topic(Orders, 0), other.Write());

        await Assert.ThrowsAsync<DocumentFormatException>(async () => await fixture.Directory.RefreshAsync(Orders, Stop));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(2048)]
    public async Task GetOrCreateAsync_ShardsNotAllowed_Throws(int shards)
    {
        await using var fixture = new PublishingFixture();

        await Assert.ThrowsAsync<ArgumentException>(async () => await fixture.Directory.GetOrCreateAsync(Orders, new TopicSettings { Shards = shards }, Stop));
    }
}
