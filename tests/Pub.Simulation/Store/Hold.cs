using Pub.Storage;

namespace Pub.Simulation.Store;

/// <summary>An operation that a scenario stops on its way to the cluster, to let something else happen first.</summary>
internal sealed class Hold(StoreOperation operation, string keyContains)
{
    private readonly TaskCompletionSource _arrived = new();
    private Action? _proceed;
    private Action? _land;
    private Action<Exception>? _fail;

    /// <summary>Ends when the operation has been made.</summary>
    public Task Arrived => _arrived.Task;

    public bool HasArrived => _arrived.Task.IsCompleted;

    public DocumentKey Key { get; private set; }

    public bool Matches(StoreOperation made, DocumentKey key) =>
        !HasArrived && made == operation && key.ToString().Contains(keyContains, StringComparison.Ordinal);

    public void Arrive(DocumentKey key, Action proceed, Action land, Action<Exception> fail)
    {
        (Key, _proceed, _land, _fail) = (key, proceed, land, fail);
        _arrived.SetResult();
    }

    /// <summary>Goes on as if nothing had been.</summary>
    public void Proceed() => _proceed!();

    /// <summary>The caller's answer is "unknown"; the write is still on its way until <see cref="Land"/>, or for ever.</summary>
    public void AnswerUnknown() => _fail!(new OutcomeUnknownException("No answer (scenario)."));

    public void AnswerUnavailable() => _fail!(new StoreUnavailableException("Unavailable (scenario)."));

    /// <summary>The write reaches the cluster now; nobody hears of it.</summary>
    public void Land() => _land!();
}
