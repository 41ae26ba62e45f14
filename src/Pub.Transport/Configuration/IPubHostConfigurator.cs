using Pub;

namespace MassTransit;

/// <summary>Which store a bus uses. What is set here wins over <see cref="PubTransportOptions"/>.</summary>
public interface IPubHostConfigurator
{
    /// <summary>The name under which the store is registered. Default: the store without a name.</summary>
    string? Store { set; }

    /// <summary>The store's name in addresses, the same in all processes that use the store. Default: <see cref="Store"/>, or <c>default</c>.</summary>
    string? Name { set; }

    /// <summary>The virtual host: buses of different virtual hosts share nothing. Default <c>/</c>.</summary>
    string VirtualHost { set; }

    /// <summary>The store itself, for a bus outside of dependency injection. Its owner disposes of it, after the bus has stopped.</summary>
    PubClient Client { set; }
}
