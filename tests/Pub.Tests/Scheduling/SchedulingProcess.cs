using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pub.Leases;
using Pub.Scheduling;
using Pub.Storage;
using Pub.Topics;
using Pub.Topology;

namespace Pub.Tests.Scheduling;

/// <summary>What one process has of scheduling. Its movers are stepped by the test, in the order and as often as it says.</summary>
internal sealed class SchedulingProcess
{
    private readonly LeaseMover[] _movers;

    public SchedulingProcess(
        IDocumentStore store, FakeTimeProvider clock, long token = 1, BrokenRules broken = BrokenRules.None, ScheduleTimings? timings = null, int seed = 1)
    {
        Clock = clock;
        Store = store;
        Runtime = new PubRuntime(clock, (int)(seed + (1000 * token))) { Broken = broken };
        Topics = new TopicDirectory(store, Runtime, NullLogger<TopicDirectory>.Instance);
        var watch = new TopicWatch(store, Runtime, Topics, NullLogger<TopicWatch>.Instance);
        Producer = new Producer(store, Runtime, Topics, watch, ProducerTargets.Options(timings ?? ScheduleTimings.Default), NullLogger.Instance);
        var setup = new SchedulingSetup(store, Runtime, PubTimings.Default, new ProducerTargets(Producer, Topics, watch, new Queues(Topics)), NullLogger.Instance, timings);
        Scheduler = setup.Scheduler;
        Services = setup.Services;
        _movers = [.. Enumerable.Range(0, BucketName.Shards).Select(lease => new LeaseMover(new LeaseGrant(lease, token, "session-" + token, false), Services))];
    }

    public static TopicName Orders { get; } = TopicName.Topic("orders");

    public FakeTimeProvider Clock { get; }

    public IDocumentStore Store { get; }

    public PubRuntime Runtime { get; }

    public TopicDirectory Topics { get; }

    public Producer Producer { get; }

    public Scheduler Scheduler { get; }

    public MoverServices Services { get; }

    public IReadOnlyList<LeaseMover> Movers => _movers;

    public static OutgoingMessage Message(string text, string? key = null) =>
        new() { Id = text, Key = key, ContentType = "text/plain", Body = Encoding.UTF8.GetBytes(text) };

    /// <summary>Reads the directory, and steps every mover until none has anything to do at once.</summary>
    public async Task MoveAsync()
    {
        await Run(Services.Feed.RefreshAsync());
        for (var round = 0; round < 10_000; round++)
        {
            var isBusy = false;
            foreach (var mover in _movers)
            {
                isBusy |= await Run(mover.StepAsync(CancellationToken.None)) == TimeSpan.Zero;
            }

            if (!isBusy)
            {
                return;
            }
        }

        Assert.Fail("The movers do not come to rest.");
    }

    /// <summary>Moves on in time, a second at a time, and lets the movers work.</summary>
    public async Task MoveForAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            await MoveAsync();
        }
    }

    /// <summary>Waits for a call whose pauses pass at once.</summary>
    public async Task<T> Run<T>(Task<T> task)
    {
        await Run((Task)task);
        return await task;
    }

    public async Task Run(Task task)
    {
        for (var i = 0; i < 20_000 && !task.IsCompleted; i++)
        {
            await Task.WhenAny(task, Task.Delay(1, TestContext.Current.CancellationToken));
            if (i > 20 && !task.IsCompleted)
            {
                Clock.Advance(TimeSpan.FromMilliseconds(20));
            }
        }

        Assert.True(task.IsCompleted, "A call does not end.");
        await task;
    }

    public Task ScheduleAsync(string text, TimeSpan ahead) => Run(Scheduler.ScheduleAsync(Orders, Message(text), Clock.GetUtcNow() + ahead).AsTask());

    public Task ScheduleAsync(string token, string text, TimeSpan ahead) =>
        Run(Scheduler.ScheduleAsync(token, Orders, Message(text), Clock.GetUtcNow() + ahead).AsTask());

    public Task<CancelResult> CancelAsync(string token) => Run(Scheduler.CancelAsync(token).AsTask());

    /// <summary>The ids of what was published to a topic, sorted.</summary>
    public async Task<string[]> PublishedAsync(TopicName? topic = null) => [.. (await MessagesAsync(topic)).Select(message => message.Id).Order(StringComparer.Ordinal)];

    public async Task<List<Message>> MessagesAsync(TopicName? topic = null)
    {
        var messages = new List<Message>();
        var name = topic ?? Orders;
        if (await Topics.RefreshAsync(name) is { } log)
        {
            for (var shard = 0; shard < log.ShardCount; shard++)
            {
                for (var offset = Offset.First; offset <= log[shard].Last; offset = offset.Next)
                {
                    var stored = await Store.GetAsync(DocumentKeys.Entry(new ShardId(name, shard), offset));
                    if (stored.Exists)
                    {
                        messages.AddRange(EntryCodec.Decode(stored.Content).Messages);
                    }
                }
            }
        }

        return messages;
    }

    /// <summary>The logs that the directory lists, far-future ones too.</summary>
    public Task<List<BucketName>> LogsAsync() => Services.Directory.ReadAsync(new BucketMinute(100_000_000), int.MaxValue);

    private sealed class Queues(TopicDirectory topics) : IQueueCreation
    {
        public async ValueTask EnsureAsync(TopicName queue, CancellationToken cancellationToken = default) =>
            await topics.GetOrCreateAsync(queue, cancellationToken: cancellationToken);
    }
}
