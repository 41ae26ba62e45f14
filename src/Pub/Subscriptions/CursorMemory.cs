namespace Pub.Subscriptions;

/// <summary>The cursor of a temporary subscription: nothing is stored, but a lease that is taken again in the same process goes on where it stood.</summary>
internal sealed class CursorMemory
{
    private CursorDocument _last = CursorDocument.Empty;

    public CursorDocument Last
    {
        get => Volatile.Read(ref _last);
        set => Volatile.Write(ref _last, value);
    }
}
