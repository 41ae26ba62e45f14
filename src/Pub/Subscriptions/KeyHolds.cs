namespace Pub.Subscriptions;

/// <summary>
/// Keys that wait because their first message does: it was nacked with a delay, and nothing of its key may overtake it (<see cref="ConsumerOptions.HoldKey"/>).
/// The delivery queue's lock protects it.
/// <code>
/// a held lane is active with its held delivery, and nothing of it is ready or with a handler
/// messages of held lanes ≤ mostOfAll, of one lane ≤ MostOfOneKey: else the hold ends before its time, so that holds can't fill the window
/// </code>
/// </summary>
internal sealed class KeyHolds(int mostOfAll)
{
    public const int MostOfOneKey = 100;

    private readonly List<(Delivery Delivery, long Due)> _held = [];
    private int _messages;

    public bool Any => _held.Count > 0;

    /// <summary>When the next hold ends, as a timestamp.</summary>
    public long NextDue => _held.Count == 0 ? long.MaxValue : _held.Min(hold => hold.Due);

    /// <summary>Whether there is room to hold one more lane as it is now.</summary>
    public bool HasRoomFor(KeyLane lane) => lane.Waiting.Count < MostOfOneKey && _messages + lane.Waiting.Count < mostOfAll;

    public void Add(Delivery delivery, long due)
    {
        delivery.Lane!.Held = delivery;
        _messages += 1 + delivery.Lane.Waiting.Count;
        _held.Add((delivery, due));
    }

    /// <summary>A message came to a held lane. True: there is too much, the hold has to end.</summary>
    public bool Grew(KeyLane lane)
    {
        _messages++;
        return lane.Waiting.Count >= MostOfOneKey || _messages >= mostOfAll;
    }

    /// <summary>A message left a held lane.</summary>
    public void Shrank() => _messages--;

    public void Remove(Delivery delivery)
    {
        _held.RemoveAll(hold => hold.Delivery == delivery);
        _messages -= 1 + delivery.Lane!.Waiting.Count;
        delivery.Lane.Held = null;
    }

    public List<Delivery> TakeDue(long now) => [.. _held.Where(hold => hold.Due <= now).Select(hold => hold.Delivery)];

    public List<Delivery> Of(LeaseReader reader) => [.. _held.Where(hold => hold.Delivery.Reader == reader).Select(hold => hold.Delivery)];
}
