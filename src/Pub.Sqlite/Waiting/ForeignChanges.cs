using Pub.Sqlite.Files;
using Pub.Sqlite.Reading;
using Pub.Storage;

namespace Pub.Sqlite.Waiting;

/// <summary>
/// After another process has written to the file: looks at the documents that are waited for, each once however many wait, in one read transaction, and wakes whose
/// document has moved. One look at a time; changes that come meanwhile are one more look, <see cref="Pause"/> later.
/// </summary>
internal sealed class ForeignChanges(DocumentReader reader, WaiterTable waiters, PubRuntime runtime)
{
    private const int Idle = 0;
    private const int Looking = 1;
    private const int LookingAgain = 2;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private int _state;
    private long _epoch = reader.ReadEpoch();

    /// <summary>How often it looked.</summary>
    public long Looks { get; private set; }

    /// <summary>Called by the writer's thread.</summary>
    public void Noticed()
    {
        if (waiters.IsEmpty)
        {
            return;
        }

        if (Interlocked.CompareExchange(ref _state, LookingAgain, Looking) == Idle && Interlocked.CompareExchange(ref _state, Looking, Idle) == Idle)
        {
            runtime.Start(LookAsync);
        }
    }

    private async Task LookAsync()
    {
        while (true)
        {
            try
            {
                Look();
            }
            catch (Exception exception) when (exception is PubException or ObjectDisposedException)
            {
                // The waiters find out by themselves: released, each reads and throws what there is to throw.
                waiters.ReleaseAll();
            }

            if (Interlocked.CompareExchange(ref _state, Idle, Looking) == Looking)
            {
                return;
            }

            await runtime.Delay(Pause, CancellationToken.None).ConfigureAwait(false);
            Interlocked.Exchange(ref _state, Looking);
        }
    }

    private void Look()
    {
        Looks++;
        var keys = waiters.Keys();
        var versions = reader.ReadVersions(keys, out var epoch);
        for (var i = 0; i < keys.Length; i++)
        {
            waiters.Wake(keys[i], versions[i]);
        }

        if (epoch != _epoch)
        {
            _epoch = epoch;
            waiters.ReleaseAll();
        }
    }
}
