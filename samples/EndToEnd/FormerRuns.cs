using System.Globalization;
using Pub;

namespace EndToEnd;

/// <summary>
/// Removes the subscriptions of runs that were killed: they would hold the topic's events for ever. A run that lives reads this run's events too, so one
/// whose floors have not moved between this run's begin and its end is dead.
/// </summary>
internal sealed class FormerRuns(Controller controller)
{
    private const string TimeFormat = "yyyyMMdd-HHmmss";
    private static readonly TimeSpan YoungestRemoved = TimeSpan.FromMinutes(1);

    private readonly Dictionary<SubscriptionName, string> _found = [];

    /// <summary>The subscription's name of a run that begins now.</summary>
    public static SubscriptionName NewName(string prefix) => SubscriptionName.Plain(
        $"{prefix}{DateTime.UtcNow.ToString(TimeFormat, CultureInfo.InvariantCulture)}-{Guid.NewGuid().ToString("N")[..8]}");

    /// <summary>Notes where the runs stand that are not quite young.</summary>
    public async Task FindAsync(string prefix, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await controller.ListSubscriptionsAsync(after, cancellationToken: cancellationToken);
            foreach (var name in page.Items.Where(name => !name.IsQueue && IsOld(name.Name, prefix)))
            {
                if (await ProgressOfAsync(name, cancellationToken) is { } progress)
                {
                    _found[name] = progress;
                }
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>Removes those that have not moved.</summary>
    public async Task RemoveDeadAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, progress) in _found)
        {
            if (await ProgressOfAsync(name, cancellationToken) == progress)
            {
                await RemoveAsync(controller, name, cancellationToken);
            }
        }
    }

    public static async Task RemoveAsync(Controller controller, SubscriptionName name, CancellationToken cancellationToken = default)
    {
        try
        {
            await controller.DeleteAsync(name, cancellationToken);
        }
        catch (NotFoundException)
        {
            // Another run was faster.
        }
    }

    private static bool IsOld(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
        && name.Length > prefix.Length + TimeFormat.Length
        && DateTime.TryParseExact(
            name.AsSpan(prefix.Length, TimeFormat.Length), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var begun)
        && DateTime.UtcNow - begun > YoungestRemoved;

    /// <summary>Where a run stands in each shard; null if it is gone.</summary>
    private async Task<string?> ProgressOfAsync(SubscriptionName name, CancellationToken cancellationToken)
    {
        try
        {
            var description = await controller.DescribeAsync(name, cancellationToken);
            return string.Join(' ', description.Shards.Select(shard => $"{shard.Shard}:{shard.Floor}/{shard.SettledRanges}"));
        }
        catch (NotFoundException)
        {
            return null;
        }
    }
}
