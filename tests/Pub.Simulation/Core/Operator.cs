namespace Pub.Simulation.Core;

/// <summary>A subscription that processes are to run: its name, and the topics it reads.</summary>
internal sealed class WantedSubscription(SubscriptionName name, IReadOnlyList<TopicName> topics)
{
    public SubscriptionName Name => name;

    public IReadOnlyList<TopicName> Topics => topics;

    /// <summary>The creation that processes run now.</summary>
    public required SubscriptionRecord Record { get; set; }

    /// <summary>Nobody may run it just now: it is being deleted.</summary>
    public bool IsSuspended { get; set; }

    /// <summary>Declarations under way.</summary>
    public int Subscribing { get; set; }
}

/// <summary>What people do meanwhile: late subscriptions, rewinds, deletions. And the few messages that kill.</summary>
internal sealed class Operator(CoreSimulation run)
{
    private readonly List<WantedSubscription> _wanted = [];
    private int _poisonLeft = run.Knobs.Poison;

    public IReadOnlyList<WantedSubscription> Wanted => [.. _wanted.Where(subscription => !subscription.IsSuspended)];

    /// <summary>Commands that have not succeeded yet.</summary>
    public int Pending { get; private set; }

    /// <summary>Whether the message that is made now kills the process of its handler.</summary>
    public bool TakePoison()
    {
        if (_poisonLeft == 0 || run.Random.Next(10) != 0)
        {
            return false;
        }

        _poisonLeft--;
        return true;
    }

    public void PlanSubscriptions()
    {
        for (var i = 0; i < run.Knobs.Subscriptions; i++)
        {
            Plan();
        }
    }

    public void Begin()
    {
        Every(run.Knobs.LateSubscriptions, SubscribeLateAsync);
        Every(run.Knobs.Rewinds, RewindAsync);
        Every(run.Knobs.Deletes, DeleteAsync);
        Every(run.Knobs.AddShards, AddShardsAsync);
        Every(run.Knobs.Trims, TrimAsync);
    }

    // A command that failed half-way is given again, as its description says.
    private async Task CompleteAsync(Func<Controller, Task> command)
    {
        Pending++;
        while (run.Fleet.Any() is not { } node || !await node.TryControlAsync(command))
        {
            await run.Delay(1);
        }

        Pending--;
    }

    private WantedSubscription Plan()
    {
        var number = _wanted.Count;
        var name = run.Random.Next(3) == 0 ? SubscriptionName.Queue($"q{number}") : SubscriptionName.Plain($"s{number}");
        var topics = run.Topics.Select(topic => topic.Name).Where((_, index) => index == number % run.Topics.Count || run.Random.Next(2) == 0).ToArray();
        var wanted = new WantedSubscription(name, topics) { Record = new SubscriptionRecord(name, 1) };
        _wanted.Add(wanted);
        run.Ledger.Subscriptions.Add(wanted.Record);
        return wanted;
    }

    private void Every(double perMinute, Func<Task> action)
    {
        if (perMinute > 0)
        {
            run.Fleet.Begin(RepeatAsync(60 / perMinute, action));
        }
    }

    private async Task RepeatAsync(double meanSeconds, Func<Task> action)
    {
        while (await run.DelayUnlessOver(-Math.Log(1 - run.Random.NextDouble()) * meanSeconds))
        {
            await action();
        }
    }

    private async Task SubscribeLateAsync()
    {
        if (_wanted.Count < 5)
        {
            await SubscribeEverywhereAsync(Plan());
        }
    }

    private async Task SubscribeEverywhereAsync(WantedSubscription wanted)
    {
        foreach (var node in run.Fleet.Live)
        {
            run.Fleet.Begin(node.SubscribeAsync(wanted));
        }

        await Task.CompletedTask;
    }

    private async Task RewindAsync()
    {
        if (Wanted is not { Count: > 0 } wanted)
        {
            return;
        }

        var (record, name) = wanted[run.Random.Next(wanted.Count)] is var chosen ? (chosen.Record, chosen.Name) : default;
        record.WasRewound = true;
        var (to, what) = run.Random.Next(4) switch
        {
            0 => (StartAt.Tail, "end"),
            1 => (StartAt.Time(run.World.Test.Clock.GetUtcNow() - TimeSpan.FromSeconds(20 * run.Random.NextDouble())), "time"),
            _ => (StartAt.Beginning, "beginning"),
        };
        run.World.Trace.Add("test", "rewind", $"{record} to its {what}");
        await CompleteAsync(controller => controller.RewindAsync(name, to));
        if (what != "beginning")
        {
            // Forward, or by clocks that may be wrong: what was published until now may have been skipped.
            record.SkippedUntil = run.World.Scheduler.Now;
        }
    }

    private async Task AddShardsAsync()
    {
        var topic = run.Topics[run.Random.Next(run.Topics.Count)];
        if (topic.Shards < 32)
        {
            topic.Resize();
            run.World.Trace.Add("test", "add shards", $"{topic.Name} to {topic.Shards}");
            await CompleteAsync(controller => controller.AddShardsAsync(topic.Name, topic.Shards));
        }
    }

    private async Task TrimAsync()
    {
        if (run.Fleet.Any() is { } node)
        {
            await node.TryControlAsync(controller => controller.TrimAsync(run.Topics[run.Random.Next(run.Topics.Count)].Name));
        }
    }

    private async Task DeleteAsync()
    {
        if (Wanted is not { Count: > 0 } wanted)
        {
            return;
        }

        var subscription = wanted[run.Random.Next(wanted.Count)];
        Pending++;
        subscription.IsSuspended = true;

        // A declaration that is under way would make it anew, under the name of the old one.
        while (subscription.Subscribing > 0)
        {
            await run.Delay(0.1);
        }

        subscription.Record.IsDeleted = true;
        run.World.Trace.Add("test", "delete", $"{subscription.Record}");
        await CompleteAsync(controller => controller.DeleteAsync(subscription.Name));
        await run.Delay(1);
        subscription.Record = new SubscriptionRecord(subscription.Name, subscription.Record.Creation + 1);
        run.Ledger.Subscriptions.Add(subscription.Record);
        subscription.IsSuspended = false;
        Pending--;
        await SubscribeEverywhereAsync(subscription);
    }
}
