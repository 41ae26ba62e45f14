using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Topics;

/// <summary>
/// The list of everything that exists (docs/documents.md, "topology"): pages of names, each name on the page of its hash. A name is listed
/// durably before what it names is made, so nothing exists unlisted; a listed name may not exist, when its maker died in between.
/// Temporary topics and subscriptions are not listed.
/// </summary>
internal sealed class Catalog(IDocumentStore store, PubRuntime runtime)
{
    public const int Pages = 16;

    private readonly CasLoop _loop = new(store, runtime);

    public Task AddAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var name = topic.ToString();
        return UpdateAsync(name, page => Added(page.Topics, name) is { } topics ? page with { Topics = topics } : null, cancellationToken);
    }

    public Task AddAsync(SubscriptionName subscription, CancellationToken cancellationToken = default)
    {
        var name = subscription.ToString();
        return UpdateAsync(name, page => Added(page.Subscriptions, name) is { } subscriptions ? page with { Subscriptions = subscriptions } : null, cancellationToken);
    }

    public Task RemoveAsync(TopicName topic, CancellationToken cancellationToken = default)
    {
        var name = topic.ToString();
        return UpdateAsync(name, page => Removed(page.Topics, name) is { } topics ? page with { Topics = topics } : null, cancellationToken);
    }

    public Task RemoveAsync(SubscriptionName subscription, CancellationToken cancellationToken = default)
    {
        var name = subscription.ToString();
        return UpdateAsync(name, page => Removed(page.Subscriptions, name) is { } subscriptions ? page with { Subscriptions = subscriptions } : null, cancellationToken);
    }

    /// <summary>Every topic and queue listed, sorted.</summary>
    public async Task<IReadOnlyList<TopicName>> ListTopicsAsync(CancellationToken cancellationToken = default) =>
        [.. (await ReadAsync(cancellationToken)).SelectMany(page => page.Topics).Select(TopicName.Parse).Order()];

    /// <summary>Every subscription listed, sorted.</summary>
    public async Task<IReadOnlyList<SubscriptionName>> ListSubscriptionsAsync(CancellationToken cancellationToken = default) =>
        [.. (await ReadAsync(cancellationToken)).SelectMany(page => page.Subscriptions).Select(SubscriptionName.Parse).Order()];

    private async Task<List<CatalogPage>> ReadAsync(CancellationToken cancellationToken)
    {
        var keys = new DocumentKey[Pages];
        for (var page = 0; page < Pages; page++)
        {
            keys[page] = DocumentKeys.Catalog(page);
        }

        var stored = await store.GetManyAsync(keys, cancellationToken);
        var pages = new List<CatalogPage>(Pages);
        for (var page = 0; page < Pages; page++)
        {
            if (CatalogPage.Format.Read(keys[page], stored[page]) is { } read)
            {
                pages.Add(read);
            }
        }

        return pages;
    }

    // The loser of the CAS reads the page again; the order of two additions does not matter.
    private Task UpdateAsync(string name, Func<CatalogPage, CatalogPage?> change, CancellationToken cancellationToken) =>
        _loop.UpdateAsync(
            DocumentKeys.Catalog(NameHash.Spread(name, Pages)),
            CatalogPage.Format,
            page => change(page ?? new CatalogPage()),
            WriteOptions.Synced,
            cancellationToken: cancellationToken);

    private static string[]? Added(string[] names, string name)
    {
        var place = Array.BinarySearch(names, name, StringComparer.Ordinal);
        return place >= 0 ? null : [.. names.AsSpan(0, ~place), name, .. names.AsSpan(~place)];
    }

    private static string[]? Removed(string[] names, string name) =>
        Array.BinarySearch(names, name, StringComparer.Ordinal) < 0 ? null : [.. names.Where(other => other != name)];
}

/// <summary>One page: names sorted by their code units.</summary>
internal sealed record CatalogPage
{
    public static readonly DocumentFormat<CatalogPage> Format = new("catalog", 1, CatalogFormatContext.Default.CatalogPage);

    public string[] Topics { get; init; } = [];

    public string[] Subscriptions { get; init; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CatalogPage))]
internal sealed partial class CatalogFormatContext : JsonSerializerContext;
