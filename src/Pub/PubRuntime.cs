using System.Security.Cryptography;

namespace Pub;

/// <summary>
/// Time, randomness and the starting of background work come in here, so that a simulation can supply all three
/// (docs/decisions/0002-deterministic-simulation.md).
/// </summary>
internal sealed class PubRuntime
{
    private const int SystemBytes = 128 * IdBytes;
    private const int IdBytes = 12;
    private readonly Lock _lock = new();
    private readonly Random _random;
    private readonly Func<Func<Task>, Task> _start;
    private readonly byte[] _systemBytes = new byte[SystemBytes];
    private int _systemBytesUsed = SystemBytes;

    public PubRuntime(TimeProvider? time = null, int? seed = null, Func<Func<Task>, Task>? start = null)
    {
        Time = time ?? TimeProvider.System;
        _random = new Random(seed ?? RandomNumberGenerator.GetInt32(int.MaxValue));
        IsSeeded = seed is not null;
#pragma warning disable RS0030 // the one place that starts work on the thread pool
        _start = start ?? Task.Run;
#pragma warning restore RS0030
    }

    public TimeProvider Time { get; }

    /// <summary>Rules left out on purpose, to show that the simulation notices. None outside the simulation and the tests.</summary>
    public BrokenRules Broken { get; init; }

    private bool IsSeeded { get; }

    /// <summary>Whether this run leaves the rule out.</summary>
    public bool Breaks(BrokenRules rule) => (Broken & rule) != 0;

    /// <summary>Starts a loop away from the caller's context. The loop handles its own errors.</summary>
    public Task Start(Func<Task> work) => _start(work);

    /// <summary>96 random bits as 24 hexadecimal digits.</summary>
    public string NewId()
    {
        Span<byte> bytes = stackalloc byte[IdBytes];
        if (IsSeeded)
        {
            lock (_lock)
            {
                _random.NextBytes(bytes);
            }
        }
        else
        {
            FillFromSystem(bytes);
        }

        return Convert.ToHexStringLower(bytes);
    }

    // One call of the system for many ids: each costs more than everything else about an id.
    private void FillFromSystem(Span<byte> bytes)
    {
        lock (_lock)
        {
            if (_systemBytesUsed == SystemBytes)
            {
                RandomNumberGenerator.Fill(_systemBytes);
                _systemBytesUsed = 0;
            }

            _systemBytes.AsSpan(_systemBytesUsed, bytes.Length).CopyTo(bytes);
            _systemBytesUsed += bytes.Length;
        }
    }

    /// <summary>A number from 0 up to, not including, 1.</summary>
    public double NextDouble()
    {
        lock (_lock)
        {
            return _random.NextDouble();
        }
    }

    /// <summary>A whole number from 0 up to, not including, <paramref name="limit"/>.</summary>
    public int Next(int limit)
    {
        lock (_lock)
        {
            return _random.Next(limit);
        }
    }

    /// <summary>The duration, shortened or lengthened by up to a fifth, so that instances do not move in step.</summary>
    public TimeSpan Jitter(TimeSpan duration) => duration * (0.8 + (0.4 * NextDouble()));

    public Task Delay(TimeSpan duration, CancellationToken cancellationToken) => Task.Delay(duration, Time, cancellationToken);

    /// <summary>Unix time in milliseconds by this host's wall clock: for what people and retention read, never for leases.</summary>
    public long UnixMilliseconds => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public ElapsedTime StartElapsed() => new(Time);
}

/// <summary>
/// Time since a moment by the larger of the monotonic and the wall clock: a suspended machine stops the first, a stepped clock moves the second
/// (executions.md 21). Use where too long is the safe error.
/// </summary>
internal readonly struct ElapsedTime(TimeProvider time)
{
    private readonly long _timestamp = time.GetTimestamp();
    private readonly DateTimeOffset _wall = time.GetUtcNow();

    public TimeSpan Elapsed
    {
        get
        {
            var monotonic = time.GetElapsedTime(_timestamp);
            var wall = time.GetUtcNow() - _wall;
            return monotonic > wall ? monotonic : wall;
        }
    }
}
