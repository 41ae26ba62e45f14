using Pub.Storage;
using Pub.Testing;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Publishing;

public class BatchingTests
{
    [Fact]
    public async Task PublishAsync_SixtyFourPublishersThatAwait_CostFewStoreOperationsAMessage()
    {
        await using var fixture = new PublishingFixture(time: TimeProvider.System);
        await fixture.PublishAsync(Orders, Message("first"));
        fixture.Store.ClearCalls();
        const int publishers = 64, each = 300;

        await Task.WhenAll(Enumerable.Range(0, publishers).Select(p => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await fixture.Producer.PublishAsync(Orders, Message($"{p}.{i}"), TestContext.Current.CancellationToken);
            }
        })));

        var perMessage = (double)(fixture.Store.Count(StoreOperation.Increment, DocumentCollection.Offsets) + fixture.Store.Count(StoreOperation.Insert)) / (publishers * each);
        TestContext.Current.TestOutputHelper!.WriteLine($"{perMessage:F4} store operations a message");
        Assert.InRange(perMessage, 0, 0.07);
        Assert.Equal((publishers * each) + 1, (await fixture.ReadIdsAsync(Orders)).Distinct().Count());
    }
}
