namespace Pub.Transport.Tests;

public record OrderSubmitted(int Number, string? Customer = null);

public record CheckOrder(int Number);

public record OrderFound(int Number, string Customer);

public record OrderMissing(int Number);
