using Pub;

namespace MassTransit.PubTransport.Configuration;

/// <summary>Which store a bus uses, and how it is found.</summary>
internal sealed class PubHostSettings : IPubHostConfigurator
{
    private const string DefaultName = "default";
    private PubClient? _client;

    public string? Store { get; set; }

    public string? Name { get; set; }

    public string VirtualHost { get; set; } = PubHostAddress.DefaultVirtualHost;

    /// <summary>Finds a registered store; null outside of dependency injection.</summary>
    public Func<string?, PubClient?>? Resolve { get; set; }

    public PubClient Client
    {
        get => _client ??= Resolve?.Invoke(Store) ?? throw new ConfigurationException(Missing);
        set => _client = value ?? throw new ArgumentNullException(nameof(value));
    }

    public StoreHealth Health { get; } = new();

    public PubHostAddress Address => new(Name ?? Store ?? DefaultName, VirtualHost);

    private string Missing => Resolve is null
        ? "The bus has no store: name one with cfg.Host(client)."
        : Store is null
            ? "No store without a name is registered: call services.AddPubInMemory(), services.AddPubSqlite(\"file\") or another store's method."
            : $"No store named '{Store}' is registered: call services.AddPubInMemory(\"{Store}\"), services.AddPubSqlite(\"{Store}\", …) or another store's method.";

    /// <summary>What is wrong; null if nothing is.</summary>
    public string? FindFault()
    {
        try
        {
            _ = Client;
            Uri address = Address;
            return Uri.CheckHostName(address.Host) is UriHostNameType.Unknown ? $"'{address.Host}' cannot name a store in addresses." : null;
        }
        catch (Exception e) when (e is ConfigurationException or ArgumentException or UriFormatException)
        {
            return e.Message;
        }
    }
}
