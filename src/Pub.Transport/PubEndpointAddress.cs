using MassTransit.Internals;

namespace MassTransit;

/// <summary>
/// The address of a queue, <c>pub://store/virtual host/name</c>, or of a topic, the same with <c>?type=topic</c>. Short forms, in the virtual host of the
/// bus: <c>queue:name</c>, and <c>topic:name</c> or <c>exchange:name</c>. A queue and a topic of one name are different things.
/// </summary>
public readonly record struct PubEndpointAddress
{
    private const string TypeKey = "type";
    private const string TemporaryKey = "temporary";
    private const string TopicType = "topic";

    /// <summary>Reads an address in any of its forms.</summary>
    /// <param name="hostAddress">The address of the bus.</param>
    /// <param name="address">The address of the queue or topic.</param>
    /// <exception cref="PubEndpointAddressException">The scheme is none of Pub's, or there is no name.</exception>
    public PubEndpointAddress(Uri hostAddress, Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var host = new PubHostAddress(hostAddress);
        Store = host.Store;
        VirtualHost = host.VirtualHost;
        switch (address.IsAbsoluteUri ? address.Scheme : "")
        {
            case PubHostAddress.PubScheme:
                Store = new PubHostAddress(address).Store;
                address.ParseHostPathAndEntityName(out var virtualHost, out var name);
                VirtualHost = virtualHost ?? PubHostAddress.DefaultVirtualHost;
                Name = name;
                break;
            case "queue":
                Name = Uri.UnescapeDataString(address.AbsolutePath);
                break;
            case "topic":
            case "exchange":
                Name = Uri.UnescapeDataString(address.AbsolutePath);
                IsTopic = true;
                break;
            default:
                throw new PubEndpointAddressException(address, "Use pub://store/name, queue:name, topic:name or exchange:name.");
        }

        if (string.IsNullOrWhiteSpace(Name))
        {
            throw new PubEndpointAddressException(address, "The address has no name.");
        }

        foreach (var (key, value) in address.SplitQueryString())
        {
            IsTopic |= key == TypeKey && string.Equals(value, TopicType, StringComparison.OrdinalIgnoreCase);
            IsTemporary |= key == TemporaryKey && bool.TryParse(value, out var isTemporary) && isTemporary;
        }
    }

    /// <summary>Makes an address.</summary>
    public PubEndpointAddress(Uri hostAddress, string name, bool isTopic = false, bool isTemporary = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var host = new PubHostAddress(hostAddress);
        Store = host.Store;
        VirtualHost = host.VirtualHost;
        Name = name;
        IsTopic = isTopic;
        IsTemporary = isTemporary;
    }

    /// <summary>The logical name of the store.</summary>
    public string Store { get; }

    /// <summary>The virtual host; <c>/</c> is the one without a name.</summary>
    public string VirtualHost { get; }

    /// <summary>The name of the queue or topic.</summary>
    public string Name { get; }

    /// <summary>Whether it is a topic; otherwise a queue.</summary>
    public bool IsTopic { get; }

    /// <summary>Whether it is the queue of a temporary endpoint: a message to it is dropped when it is gone.</summary>
    public bool IsTemporary { get; }

    /// <summary>The address as a Uri.</summary>
    public static implicit operator Uri(in PubEndpointAddress address) => address.ToUri();

    /// <summary>The address as a Uri.</summary>
    public Uri ToUri()
    {
        var path = VirtualHost == PubHostAddress.DefaultVirtualHost ? "" : Uri.EscapeDataString(VirtualHost) + "/";
        var query = IsTopic ? $"?{TypeKey}={TopicType}" : IsTemporary ? $"?{TemporaryKey}=true" : "";
        return new Uri($"{PubHostAddress.PubScheme}://{Store}/{path}{Uri.EscapeDataString(Name)}{query}");
    }
}
