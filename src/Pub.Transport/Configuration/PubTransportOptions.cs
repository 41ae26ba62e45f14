namespace MassTransit;

/// <summary>
/// Which store a bus uses. One set of options per bus, by the bus's name: without a name for the default bus, the bus interface's name for the others:
/// <c>services.AddOptions&lt;PubTransportOptions&gt;("IOrdersBus").BindConfiguration("Orders:Bus")</c>. Settings in <c>cfg.Host(…)</c> win.
/// </summary>
public sealed class PubTransportOptions
{
    /// <summary>The name under which the store is registered (<c>AddPubSqlite("name", …)</c>). Null, the default: the store without a name.</summary>
    public string? Store { get; set; }

    /// <summary>
    /// The store's name in addresses, the same in all processes that use the store. Null, the default: <see cref="Store"/>, or <c>default</c>.
    /// Letters, digits, <c>-</c> and <c>.</c>; case does not matter.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>The virtual host: buses of different virtual hosts share nothing. Default <c>/</c>. 1 to 60 letters, digits and <c>- _ .</c></summary>
    public string VirtualHost { get; set; } = PubHostAddress.DefaultVirtualHost;
}
