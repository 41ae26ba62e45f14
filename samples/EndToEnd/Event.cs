using System.Text.Json;
using System.Text.Json.Serialization;
using Pub;

namespace EndToEnd;

/// <summary>What is published. The run's id keeps runs apart that use the same store, at once or one after another.</summary>
/// <param name="Run">The run that published it.</param>
/// <param name="Round">The round, from 1.</param>
/// <param name="Number">Its number in the run, from 0.</param>
internal sealed record Event(string Run, int Round, int Number)
{
    private const string TypeName = "end-to-end-event";

    public OutgoingMessage ToMessage() => new() { Type = TypeName, Body = JsonSerializer.SerializeToUtf8Bytes(this, EventJson.Default.Event) };

    /// <summary>Null: the message is no event.</summary>
    public static Event? From(Message message) =>
        message.Type == TypeName ? JsonSerializer.Deserialize(message.Body.Span, EventJson.Default.Event) : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Event))]
internal sealed partial class EventJson : JsonSerializerContext;
