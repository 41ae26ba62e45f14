using System.Text.Json.Serialization;
using Pub.Storage;

namespace Pub.Leases;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SessionDocument))]
[JsonSerializable(typeof(SessionDirectory))]
[JsonSerializable(typeof(AssignmentDocument))]
internal sealed partial class LeaseJson : JsonSerializerContext;

/// <summary>The documents of the <c>leases</c> collection, as stored.</summary>
internal static class LeaseFormats
{
    public static DocumentFormat<SessionDocument> Session { get; } = new("session", 1, LeaseJson.Default.SessionDocument);

    public static DocumentFormat<SessionDirectory> Directory { get; } = new("session directory", 1, LeaseJson.Default.SessionDirectory);

    public static DocumentFormat<AssignmentDocument> Assignment { get; } = new("assignment", 1, LeaseJson.Default.AssignmentDocument);
}
