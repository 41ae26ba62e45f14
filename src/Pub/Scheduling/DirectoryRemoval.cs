using Pub.Storage;

namespace Pub.Scheduling;

/// <summary>
/// Takes closed lists out of the directory. The order keeps a line above from being removed on the ground of a list that was empty once:
/// <code>
/// read above → read the list, closed → replace above without the line, under the CAS read → remove the list under its CAS
/// </code>
/// To begin the list anew somebody must first change the list above; then the replace fails, even one of unknown outcome that lands late.
/// </summary>
internal sealed class DirectoryRemoval(IDocumentStore store, PubRuntime runtime)
{
    private const int MaxAttempts = 60;

    /// <summary>Removes the list if it is closed, and those above that are empty then. May be repeated.</summary>
    public async Task FinishAsync(DirectoryList list)
    {
        while (list.Above is { } above && await FinishOneAsync(list, above))
        {
            list = above;
        }
    }

    /// <summary>Whether the list above is closed now.</summary>
    private async Task<bool> FinishOneAsync(DirectoryList list, DirectoryList above)
    {
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            var aboveStored = await store.GetAsync(above.Key);
            var stored = await store.GetAsync(list.Key);
            if (DirectoryListDocument.Format.Read(list.Key, stored) is not { Closed: true })
            {
                return false;
            }

            var document = DirectoryListDocument.Format.Read(above.Key, aboveStored);
            if (document is not null && document.Items.Contains(list.Item))
            {
                document = document.Without(list.Item, isDays: above.Above is null);
                var written = await store.ReplaceAsync(above.Key, DirectoryListDocument.Format.Write(document), aboveStored.Cas, WriteOptions.Synced);
                if (!written.IsApplied)
                {
                    await runtime.Delay(runtime.Jitter(TimeSpan.FromMilliseconds(attempt)), CancellationToken.None);
                    continue;
                }
            }

            await store.RemoveAsync(list.Key, stored.Cas, WriteOptions.Synced);
            return document is { Closed: true };
        }

        throw new StoreUnavailableException($"{list.Key} could not be taken out of {above.Key}: others changed it in each of {MaxAttempts} attempts.");
    }
}
