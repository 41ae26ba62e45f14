using Pub.Storage;

namespace Pub.Topics;

/// <summary>Asks for the epochs of documents, as long as the store has any: one that answers <see cref="Epoch.Constant"/> once is not asked again.</summary>
internal sealed class DocumentEpochs(IDocumentStore store)
{
    private volatile bool _isConstant;

    public bool IsConstant => _isConstant;

    public async ValueTask<Epoch> ReadAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        if (_isConstant)
        {
            return Epoch.Constant;
        }

        var epoch = await store.GetEpochAsync(key, cancellationToken);
        _isConstant = epoch == Epoch.Constant;
        return epoch;
    }
}
