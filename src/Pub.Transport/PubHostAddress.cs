using MassTransit.Internals;

namespace MassTransit;

/// <summary>
/// The address of a bus on Pub: <c>pub://store/virtual host</c>. The store is a logical name, never a server's, so that processes that reach one store in
/// different ways reach each other's endpoints.
/// </summary>
public readonly record struct PubHostAddress
{
    /// <summary>The scheme of all addresses of Pub.</summary>
    public const string PubScheme = "pub";

    /// <summary>The virtual host when none is named.</summary>
    public const string DefaultVirtualHost = "/";

    /// <summary>Reads a host's address; a path of two parts is an endpoint's, whose host is taken.</summary>
    /// <exception cref="PubEndpointAddressException">The address is not of scheme <c>pub</c>, or names no store.</exception>
    public PubHostAddress(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme != PubScheme || string.IsNullOrEmpty(address.Host))
        {
            throw new PubEndpointAddressException(address, "An address of Pub is pub://store/name or pub://store/virtualhost/name.");
        }

        Store = address.Host;
        VirtualHost = address.ParseHostPath();
    }

    /// <summary>Makes a host's address.</summary>
    /// <exception cref="ArgumentException">The virtual host is not allowed.</exception>
    public PubHostAddress(string store, string virtualHost)
    {
        ArgumentException.ThrowIfNullOrEmpty(store);
        Store = store.ToLowerInvariant();
        VirtualHost = PubTransport.Topology.EntityNames.CheckVirtualHost(virtualHost);
    }

    /// <summary>The logical name of the store, in lower case.</summary>
    public string Store { get; }

    /// <summary>The virtual host; <c>/</c> is the one without a name.</summary>
    public string VirtualHost { get; }

    /// <summary>The address as a Uri.</summary>
    public static implicit operator Uri(in PubHostAddress address) => address.ToUri();

    /// <summary>The address as a Uri.</summary>
    public Uri ToUri() => new(VirtualHost == DefaultVirtualHost ? $"{PubScheme}://{Store}/" : $"{PubScheme}://{Store}/{Uri.EscapeDataString(VirtualHost)}");
}
