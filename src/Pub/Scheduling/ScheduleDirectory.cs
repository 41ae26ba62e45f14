using Pub.Storage;

namespace Pub.Scheduling;

/// <summary>
/// Which bucket logs exist, by day, hour and minute (docs/decisions/0009-scheduling.md). Holds no state.
/// <code>
/// FindOrAdd has answered a log ⇒ its line was in the hour's list, the hour's in the day's, the day's in the days', each read or written in this order
/// a line is removed only when its log is closed and empty; a list's line only when the list is closed
/// </code>
/// </summary>
internal sealed class ScheduleDirectory(IDocumentStore store, PubRuntime runtime, BucketLogs logs, ScheduleTimings timings)
{
    private const int MaxAttempts = 60;

    private readonly CasLoop _loop = new(store, runtime);
    private readonly DirectoryRemoval _removal = new(store, runtime);

    /// <summary>The minute's newest log, other than the one that refused an append; a new one if there is none.</summary>
    public async Task<BucketName> FindOrAddAsync(BucketMinute minute, BucketName? refused, CancellationToken cancellationToken = default)
    {
        var list = DirectoryList.OfHour(minute);
        BucketName? made = null;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var stored = await store.GetAsync(list.Key, cancellationToken);
            var found = Newest(DirectoryListDocument.Format.Read(list.Key, stored), minute, refused);
            if (found is null)
            {
                // The log first: a line without a log means that it is finished.
                made ??= await logs.CreateAsync(minute);
                found = Newest(await AddAsync(list, stored, document => Newest(document, minute, refused) is null ? made.Value.Line : null), minute, refused);
            }

            if (found is { } bucket)
            {
                await ListAboveAsync(list, cancellationToken);
                await AnnounceAsync(minute);
                if (made is { } own && own != bucket)
                {
                    await logs.RemoveAsync(own);
                }

                return bucket;
            }
        }

        throw new StoreUnavailableException($"The directory of schedules for {minute.Start:u} was changed by others in each of {MaxAttempts} attempts to read it.");
    }

    /// <summary>The oldest logs up to a minute; more than <paramref name="limit"/> only within one hour.</summary>
    public async Task<List<BucketName>> ReadAsync(BucketMinute last, int limit, CancellationToken cancellationToken = default)
    {
        var found = new List<BucketName>();
        foreach (var day in Sorted(await ReadListAsync(DirectoryList.Days, cancellationToken), last.Day))
        {
            var hours = await ReadListAsync(DirectoryList.OfDay(day), cancellationToken);
            foreach (var hour in Sorted(hours, day == last.Day ? last.HourOfDay : "99"))
            {
                await ReadHourAsync(day, hour, last, found, cancellationToken);
                if (found.Count >= limit)
                {
                    return found;
                }
            }
        }

        return found;
    }

    /// <summary>Adds the logs of one hour, up to a minute, in order.</summary>
    public async Task ReadHourAsync(string day, string hourOfDay, BucketMinute last, List<BucketName> found, CancellationToken cancellationToken = default)
    {
        var document = await ReadListAsync(DirectoryList.OfHour(day, hourOfDay), cancellationToken);
        found.AddRange(document.Items
            .Select(line => BucketName.TryParse(day, hourOfDay, line))
            .OfType<BucketName>()
            .Where(bucket => bucket.Minute.Value <= last.Value)
            .OrderBy(bucket => bucket.Minute));
    }

    /// <summary>Takes a finished log's line out, and lists that are empty then. May be repeated.</summary>
    public async Task RemoveAsync(BucketName bucket)
    {
        var list = DirectoryList.OfHour(bucket.Minute);
        await _loop.UpdateAsync(
            list.Key,
            DirectoryListDocument.Format,
            document => document is null || !document.Items.Contains(bucket.Line) ? null : document.Without(bucket.Line, isDays: false),
            WriteOptions.Synced);
        await _removal.FinishAsync(list);
    }

    private static BucketName? Newest(DirectoryListDocument? document, BucketMinute minute, BucketName? refused)
    {
        var newest = document?.Items
            .Select(line => BucketName.TryParse(minute.Day, minute.HourOfDay, line))
            .LastOrDefault(bucket => bucket is { } found && found.Minute == minute);
        return newest == refused ? null : newest;
    }

    private static IEnumerable<string> Sorted(DirectoryListDocument list, string last) =>
        list.Items.Where(item => string.CompareOrdinal(item, last) <= 0).Order(StringComparer.Ordinal);

    /// <summary>Bottom up: what is read from the top down is whole.</summary>
    private async Task ListAboveAsync(DirectoryList list, CancellationToken cancellationToken)
    {
        while (list.Above is { } above)
        {
            var item = list.Item;
            var listed = false;
            for (var attempt = 0; !listed; attempt++)
            {
                var stored = await store.GetAsync(above.Key, cancellationToken);
                listed = DirectoryListDocument.Format.Read(above.Key, stored)?.Items.Contains(item) == true
                    || (await AddAsync(above, stored, document => document?.Items.Contains(item) == true ? null : item))?.Items.Contains(item) == true;
                if (attempt == MaxAttempts)
                {
                    throw new StoreUnavailableException($"{item} could not be listed in {above.Key}: others changed it in each of {MaxAttempts} attempts.");
                }
            }

            list = above;
        }
    }

    /// <summary>Adds an item, unless the caller finds it superfluous. Null: the list was closed; its removal is finished now, try again.</summary>
    private async Task<DirectoryListDocument?> AddAsync(DirectoryList list, StoredDocument known, Func<DirectoryListDocument?, string?> choose)
    {
        var result = await _loop.UpdateAsync(
            list.Key,
            DirectoryListDocument.Format,
            document => document is { Closed: true } || choose(document) is not { } item ? null : (document ?? new DirectoryListDocument()).With(item),
            WriteOptions.Synced,
            known);
        if (result.State is not { Closed: true })
        {
            return result.State;
        }

        await _removal.FinishAsync(list);
        return null;
    }

    private async Task<DirectoryListDocument> ReadListAsync(DirectoryList list, CancellationToken cancellationToken)
    {
        var document = DirectoryListDocument.Format.Read(list.Key, await store.GetAsync(list.Key, cancellationToken));
        if (document is { Closed: true })
        {
            // Its remover died on the way.
            await _removal.FinishAsync(list);
        }

        return document ?? new DirectoryListDocument();
    }

    /// <summary>Best effort: a lost announcement delays what is soon due by up to <see cref="ScheduleTimings.DirectoryInterval"/>.</summary>
    private async Task AnnounceAsync(BucketMinute minute)
    {
        if (minute.Start - runtime.Time.GetUtcNow() > timings.AnnounceWithin)
        {
            return;
        }

        try
        {
            await store.IncrementAsync(DirectoryList.Days.Key, DirectoryListDocument.ChangesPath, 1);
        }
        catch (PubException e) when (e.IsTransient)
        {
        }
    }
}
