using MassTransit.PubTransport;

namespace Pub.Transport.Tests;

public class SendContextTests
{
    /// <summary>Facts 1.2: what an outbox or a scheduler stores and sends later keeps its keys.</summary>
    [Fact]
    public void Properties_WrittenAndRead_KeepKeysAndDelay()
    {
        var context = new PubMessageSendContext<OrderSubmitted>(new OrderSubmitted(1), default) { PartitionKey = "k", RoutingKey = "r" };
        var properties = new Dictionary<string, object>();
        context.WritePropertiesTo(properties);
        var again = new PubMessageSendContext<OrderSubmitted>(new OrderSubmitted(1), default);
        again.ReadPropertiesFrom(properties);

        Assert.Equal(("k", "r"), (again.PartitionKey, again.RoutingKey));
    }

    [Theory]
    [InlineData(true, "true")]
    [InlineData(1.5, "1.5")]
    [InlineData("text", "text")]
    public void HeaderText_OfPlainValues_IsInvariant(object value, string expected) => Assert.Equal(expected, HeaderText.Format(value));

    [Fact]
    public void HeaderText_OfDatesAddressesAndObjects_CanBeRead()
    {
        Assert.Equal("2026-11-23T10:00:00.0000000Z", HeaderText.Format(new DateTime(2026, 11, 23, 10, 0, 0, DateTimeKind.Utc)));
        Assert.Equal("queue:orders", HeaderText.Format(new Uri("queue:orders")));
        Assert.Contains("\"customer\":", HeaderText.Format(new OrderFound(1, "Ann")), StringComparison.Ordinal);
    }
}
