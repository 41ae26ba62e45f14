namespace MassTransit;

/// <summary>An address cannot be used with this bus; the message says why.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1032", Justification = "An address is always there.")]
public class PubEndpointAddressException : AbstractUriException
{
    /// <summary>Names the address and what is wrong with it.</summary>
    public PubEndpointAddressException(Uri? address, string message)
        : base(address ?? new Uri("about:blank"), $"{address}: {message}")
    {
    }
}
