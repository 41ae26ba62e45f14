using Pub.Simulation.Kernel;
using Pub.Storage;

namespace Pub.Simulation.Core;

/// <summary>
/// One process that runs the whole core: publishes, consumes every subscription it is told to, and does what people ask of a controller.
/// </summary>
internal sealed class CoreNode
{
    private readonly CoreSimulation _run;
    private readonly PubClient _client;
    private readonly List<DeliveryRecord> _open = [];
    private readonly HashSet<SubscriptionRecord> _subscribed = [];

    public CoreNode(CoreSimulation run)
    {
        _run = run;
        Node = run.World.NewNode(clock: DrawClock());
        _client = new PubClient(Node.Store, new PubOptions { Trimming = new RetentionOptions { TrimInterval = TimeSpan.FromSeconds(2) } }, Node.Runtime, new SimLogging(run.World.Trace, Node.Name));
    }

    public SimNode Node { get; }

    public string Name => Node.Name;

    /// <summary>Dead, stopped, or stopping.</summary>
    public bool IsGone { get; private set; }

    public Task CreateTopicAsync(SimTopic topic) =>
        Node.Process.Do(() => _client.Controller.CreateAsync(topic.Name, topic.Settings));

    public Task<PublishResult> PublishAsync(TopicName topic, OutgoingMessage message, PublishOptions options) =>
        Node.Process.Do(() => _client.Producer.PublishAsync(topic, message, options).AsTask());

    public Task<IReadOnlyList<PublishResult>> PublishAsync(TopicName topic, IReadOnlyList<OutgoingMessage> messages) =>
        Node.Process.Do(() => _client.Producer.PublishAsync(topic, messages).AsTask());

    public Task ScheduleAsync(TopicName topic, OutgoingMessage message, TimeSpan delay, string? token) => Node.Process.Do(() =>
    {
        var due = Node.Process.Clock.GetUtcNow() + delay;
        return token is null
            ? _client.Scheduler.ScheduleAsync(topic, message, due).AsTask()
            : _client.Scheduler.ScheduleAsync(token, topic, message, due).AsTask();
    });

    public Task<CancelResult> CancelAsync(string token) => Node.Process.Do(() => _client.Scheduler.CancelAsync(token).AsTask());

    /// <summary>Runs the subscription here, again and again until it could be declared.</summary>
    public async Task SubscribeAsync(WantedSubscription wanted)
    {
        var record = wanted.Record;
        while (!IsGone && wanted.Record == record && !wanted.IsSuspended && _subscribed.Add(record))
        {
            wanted.Subscribing++;
            try
            {
                await Node.Process.Do(() => ConsumeAsync(wanted, record));
                return;
            }
            catch (Exception exception) when (exception is PubException or ObjectDisposedException or InvalidOperationException)
            {
                // Invalid while the consumer of a deleted subscription has not ended yet.
                _subscribed.Remove(record);
                _run.World.Trace.Add(Name, "subscribe", $"{record} failed: {exception.Message}");
            }
            finally
            {
                wanted.Subscribing--;
            }

            await _run.Delay(1);
        }
    }

    /// <summary>Asks something of the controller; false if it failed.</summary>
    public async Task<bool> TryControlAsync(Func<Controller, Task> ask)
    {
        try
        {
            await Node.Process.Do(() => ask(_client.Controller));
            return true;
        }
        catch (NotFoundException exception)
        {
            _run.World.Trace.Add(Name, "control", exception.Message);
            return true;
        }
        catch (Exception exception) when (exception is PubException or ObjectDisposedException or OperationCanceledException)
        {
            _run.World.Trace.Add(Name, "control", $"failed: {exception.Message}");
            return false;
        }
    }

    public void Kill()
    {
        if (Node.Process.IsDead)
        {
            return;
        }

        IsGone = true;
        _run.World.Trace.Add(Name, "killed", "");
        Node.Process.Kill();
        foreach (var delivery in _open)
        {
            _run.Ledger.End(delivery, DeliveryEnd.ProcessDied);
        }
    }

    public async Task StopAsync()
    {
        IsGone = true;
        _run.World.Trace.Add(Name, "stop", "begins");
        try
        {
            await Node.Process.Do(() => _client.StopAsync());
            _run.World.Trace.Add(Name, "stop", "ended");
        }
        catch (PubException exception)
        {
            _run.World.Trace.Add(Name, "stop", $"failed: {exception.Message}");
        }

        Kill();
    }

    private async Task ConsumeAsync(WantedSubscription wanted, SubscriptionRecord record)
    {
        var knobs = _run.Knobs;
        var consumer = await _client.SubscribeAsync(wanted.Name, options =>
        {
            (options.Concurrency, options.Prefetch, options.MaxDeliveries) = (knobs.Concurrency, knobs.Prefetch, knobs.Poison > 0 ? 3 : 10);
            options.HoldKey = knobs.HoldKey;
            foreach (var topic in wanted.Topics)
            {
                options.Read(topic);
            }
        });
        foreach (var topic in wanted.Topics)
        {
            record.Reads(topic, _run.World.Scheduler.Now);
        }

        _run.World.Trace.Add(Name, "subscribed", $"{record} to {string.Join(", ", wanted.Topics)}");
        var handling = new HandlerActor(_run, this, record, _open);
        _run.Fleet.Begin(Node.Process.Do(() => consumer.RunAsync(handling.HandleAsync)));
    }

    private ClockSettings DrawClock()
    {
        if (!_run.Knobs.WrongClocks)
        {
            return new ClockSettings();
        }

        var random = _run.Random;
        return new ClockSettings(
            _run.Knobs.ClockError * ((random.NextDouble() * 2) - 1), 1 + ((random.NextDouble() - 0.5) * 0.01), 1 + ((random.NextDouble() - 0.5) * 0.01));
    }
}
