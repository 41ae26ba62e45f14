namespace Pub.Transport.Tests;

public sealed class PolymorphismMemorySpecs : PolymorphismSpecs<MemoryStore>;

public sealed class PolymorphismSqliteSpecs : PolymorphismSpecs<SqliteStore>;

public abstract class PolymorphismSpecs<TStore> : TransportSpec<TStore>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task Publish_OfAnImplementation_ReachesReadersOfTheBaseAndTheInterface()
    {
        var (byInterface, byBase) = (new Inbox<string>(), new Inbox<string>());
        var bus = await StartAsync(cfg =>
        {
            cfg.ReceiveEndpoint("by-interface", e => e.Handler<IEvent>(context => Take(byInterface, context.Message.Name)));
            cfg.ReceiveEndpoint("by-base", e => e.Handler<BaseEvent>(context => Take(byBase, context.Message.Name)));
        });
        await bus.Bus.Publish(new LeafEvent { Name = "a" }, Cancellation);

        Assert.Equal("a", await byInterface.TakeAsync());
        Assert.Equal("a", await byBase.TakeAsync());
    }

    [Fact]
    public async Task Publish_OneEndpointReachedInSeveralWays_IsReceivedOnce()
    {
        var (leaf, byInterface, byBase) = (new Inbox<string>(), new Inbox<string>(), new Inbox<string>());
        var receives = new ReceiveCount();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("all", e =>
        {
            e.Handler<LeafEvent>(context => Take(leaf, context.Message.Name));
            e.Handler<IEvent>(context => Take(byInterface, context.Message.Name));
            e.Handler<BaseEvent>(context => Take(byBase, context.Message.Name));
        }));
        bus.Bus.ConnectReceiveObserver(receives);
        await bus.Bus.Publish(new LeafEvent { Name = "a" }, Cancellation);

        Assert.Equal("a", await leaf.TakeAsync());
        Assert.Equal("a", await byInterface.TakeAsync());
        Assert.Equal("a", await byBase.TakeAsync());
        await bus.StopAsync();
        Assert.Equal(1, receives.Count);
    }

    /// <summary>Facts 1.6: a subscriber of the interface runs; a publisher of a new implementation appears; its first message arrives.</summary>
    [Fact]
    public async Task Publish_OfAnImplementationNeverSeenBefore_ReachesTheRunningReader()
    {
        var inbox = new Inbox<string>();
        var bus = await StartAsync(cfg => cfg.ReceiveEndpoint("reader", e => e.Handler<IEvent>(context => Take(inbox, context.Message.Name))));
        await bus.Bus.Publish<IEvent>(new { Name = "first" }, Cancellation);
        Assert.Equal("first", await inbox.TakeAsync());

        await bus.Bus.Publish(new LateEvent { Name = "late" }, Cancellation);

        Assert.Equal("late", await inbox.TakeAsync());
    }

    [Fact]
    public async Task Publish_ExcludedInterface_IsNoTopicAndCutsWhatIsAboveIt()
    {
        var (upper, middle, lower) = (new Inbox<string>(), new Inbox<string>(), new Inbox<string>());
        var bus = await StartAsync(cfg =>
        {
            cfg.Publish<IMiddle>(x => x.Exclude = true);
            cfg.ReceiveEndpoint("middle", e => e.Handler<IMiddle>(context => Take(middle, context.Message.Name)));
            cfg.ReceiveEndpoint("lower", e => e.Handler<Lower>(context => Take(lower, context.Message.Name)));
        });
        await bus.Bus.Publish(new Lower { Name = "a" }, Cancellation);
        Assert.Equal("a", await lower.TakeAsync());
        await bus.Bus.Publish<IMiddle>(new { Name = "b" }, Cancellation);

        // The excluded type itself still has its topic, and gets nothing of the types below it.
        Assert.Equal("b", await middle.TakeAsync());
        await bus.StopAsync();
        Assert.Empty(middle.Rest());
        Assert.Empty(upper.Rest());
    }

    private static Task Take(Inbox<string> inbox, string name)
    {
        inbox.Add(name);
        return Task.CompletedTask;
    }

    public interface IEvent
    {
        string Name { get; }
    }

    public class BaseEvent : IEvent
    {
        public string Name { get; set; } = "";
    }

    public class LeafEvent : BaseEvent;

    public class LateEvent : IEvent
    {
        public string Name { get; set; } = "";
    }

    public interface IMiddle
    {
        string Name { get; }
    }

    public class Lower : IMiddle
    {
        public string Name { get; set; } = "";
    }
}
