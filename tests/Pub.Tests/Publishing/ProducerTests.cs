using Pub.Storage;
using Pub.Testing;
using Pub.Topics;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Publishing;

public class ProducerTests
{
    [Fact]
    public async Task PublishAsync_NewTopic_IsMadeAndHoldsTheMessageWhereTheResultSays()
    {
        await using var fixture = new PublishingFixture();

        var result = await fixture.EndAsync(fixture.Producer.PublishAsync(Orders, Message("a"), TestContext.Current.CancellationToken).AsTask());

        Assert.False(result.IsDropped);
        var entries = await fixture.ReadAsync(Orders, result.Place.Shard.Number);
        Assert.Equal("a", entries[result.Place.Position.Offset.Value].Messages[result.Place.Position.Index].Id);
    }
}
