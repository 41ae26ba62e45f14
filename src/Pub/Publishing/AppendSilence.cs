namespace Pub.Publishing;

/// <summary>
/// How long this producer has appended nothing to one topic, by the larger of both clocks: after a second others may be about to stop
/// watching the topic itself, and a bell is due. An append whose bell is not rung yet does not end the silence for others.
/// </summary>
internal sealed class AppendSilence(PubRuntime runtime)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private ElapsedTime? _sinceAppend;

    public bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _sinceAppend is not { } since || since.Elapsed > Longest;
            }
        }
    }

    public void Appended()
    {
        lock (_lock)
        {
            _sinceAppend = runtime.StartElapsed();
        }
    }
}
