using Pub.Storage;

namespace Pub;

/// <summary>A store to register with <c>services.AddPub(…)</c>: what it is called, and how it is opened.</summary>
public sealed class StoreRegistration
{
    /// <summary>
    /// The key under which the store's services are registered, and its part of the configuration: <c>Pub:&lt;name&gt;</c>. Null, the default: services
    /// without a key, and <c>Pub</c>. Letters, digits and <c>- _ .</c>.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>The most bytes that a document of the store may have; it is asked for before the store is open.</summary>
    public required int MaxDocumentBytes { get; init; }

    /// <summary>
    /// Opens the store, at its first use; called again if it fails. The store is disposed of with the client.
    /// </summary>
    public required Func<IServiceProvider, CancellationToken, ValueTask<IDocumentStore>> OpenAsync { get; init; }
}
