using MassTransit.PubTransport.Topology;

namespace Pub.Transport.Tests;

public class AddressTests
{
    private static readonly Uri Host = new("pub://orders-store/");
    private static readonly Uri BlueHost = new("pub://orders-store/blue");

    [Theory]
    [InlineData("queue:orders", "pub://orders-store/orders", false)]
    [InlineData("topic:orders", "pub://orders-store/orders?type=topic", true)]
    [InlineData("exchange:orders", "pub://orders-store/orders?type=topic", true)]
    [InlineData("pub://orders-store/orders", "pub://orders-store/orders", false)]
    [InlineData("pub://orders-store/orders?type=topic", "pub://orders-store/orders?type=topic", true)]
    [InlineData("queue:Gr%C3%B6%C3%9Fe", "pub://orders-store/Gr%C3%B6%C3%9Fe", false)]
    [InlineData("pub://orders-store/reply?temporary=true", "pub://orders-store/reply?temporary=true", false)]
    public void Address_InAnyForm_IsNormalized(string text, string expected, bool isTopic)
    {
        var address = new PubEndpointAddress(Host, new Uri(text));

        Assert.Equal(new Uri(expected).AbsoluteUri, address.ToUri().AbsoluteUri);
        Assert.Equal(isTopic, address.IsTopic);
        Assert.Equal(address, new PubEndpointAddress(Host, address.ToUri()));
    }

    [Fact]
    public void Address_ShortForm_IsInTheVirtualHostOfTheBus()
    {
        var address = new PubEndpointAddress(BlueHost, new Uri("queue:orders"));

        Assert.Equal("blue", address.VirtualHost);
        Assert.Equal("pub://orders-store/blue/orders", address.ToUri().ToString());
        Assert.Equal(address, new PubEndpointAddress(Host, address.ToUri()));
    }

    [Theory]
    [InlineData("rabbitmq://localhost/orders")]
    [InlineData("http://orders")]
    [InlineData("pub://orders-store/")]
    public void Address_OfNoEndpoint_IsRefusedByName(string text)
    {
        var e = Assert.Throws<PubEndpointAddressException>(() => new PubEndpointAddress(Host, new Uri(text)));
        Assert.Contains(text, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_OfVirtualHosts_NeverMeet()
    {
        Assert.NotEqual(EntityNames.Queue("/", "blue:orders"), EntityNames.Queue("blue", "orders"));
        Assert.Throws<ArgumentException>(() => EntityNames.Queue("/", "vh:blue:orders"));
        Assert.Throws<ArgumentException>(() => new PubHostAddress("store", "a:b"));
    }

    [Fact]
    public void Names_TooLong_StayDifferentAndFit()
    {
        var (first, second) = (new string('é', 150) + "a", new string('é', 150) + "b");

        Assert.NotEqual(EntityNames.Topic("/", first), EntityNames.Topic("/", second));
        Assert.Equal(EntityNames.Topic("/", first), EntityNames.Topic("/", first));
        Assert.True(System.Text.Encoding.UTF8.GetByteCount(EntityNames.Topic("/", first).Name) <= 200);
    }
}
