namespace Pub.Scheduling;

/// <summary>A message with its target and the time from which it is delivered. The target may be a subscription's own queue.</summary>
internal readonly record struct ScheduledMessage(TopicName Target, OutgoingMessage Message, DateTimeOffset Due);
