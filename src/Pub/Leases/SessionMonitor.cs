namespace Pub.Leases;

/// <summary>Watches the beats of all sessions, and finds out and marks the dead.</summary>
internal sealed class SessionMonitor
{
    /// <summary>Raised when sessions were newly found dead. Handlers return at once.</summary>
    public event Action? Changed
    {
        add => throw new NotImplementedException();
        remove => throw new NotImplementedException();
    }

    /// <summary>Whether the session is known to be dead: "dead" is written in its document.</summary>
    public bool IsDead(string session) => throw new NotImplementedException();
}
