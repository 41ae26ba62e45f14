using Pub.Storage;
using Pub.Testing;
using static Pub.Tests.Publishing.PublishingFixture;

namespace Pub.Tests.Publishing;

public class BatchingTests
{
    private const int Publishers = 64;
    private const int Each = 100;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PublishAsync_SixtyFourPublishersThatAwait_CostAtMostSevenStoreOperationsAHundredMessages(bool isStoreSlow)
    {
        var thread = new OneThread();
        var fixture = new PublishingFixture(start: thread.Start);
        if (isStoreSlow)
        {
            foreach (var operation in new[] { StoreOperation.Increment, StoreOperation.Insert })
            {
                fixture.Store.Add(new StoreRule { Operation = operation, Times = int.MaxValue, Before = TurnsAsync });
            }
        }

        thread.Run(async () =>
        {
            await fixture.Producer.PublishAsync(Orders, Message("first"), TestContext.Current.CancellationToken);
            fixture.Store.ClearCalls();
            await Task.WhenAll(Enumerable.Range(0, Publishers).Select(publisher => PublishAsync(fixture.Producer, publisher)));
        });

        var operations = fixture.Store.Count(StoreOperation.Increment) + fixture.Store.Count(StoreOperation.Insert);
        Assert.InRange((double)operations / (Publishers * Each), 0, 0.07);
    }

    /// <summary>As long as other work that was queued by then takes, several times.</summary>
    private static async Task TurnsAsync()
    {
        for (var i = 0; i < 20; i++)
        {
            await Task.Yield();
        }
    }

    private static async Task PublishAsync(Producer producer, int publisher)
    {
        for (var i = 0; i < Each; i++)
        {
            await producer.PublishAsync(Orders, Message($"{publisher}.{i}"), TestContext.Current.CancellationToken);
        }
    }
}
