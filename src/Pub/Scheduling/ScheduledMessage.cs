namespace Pub.Scheduling;

/// <summary>A message with its target and the time from which it is delivered. The target may be a subscription's own queue.</summary>
/// <param name="Target">Where to.</param>
/// <param name="Message">What.</param>
/// <param name="Due">When.</param>
/// <param name="Options">How it is published when it is due.</param>
internal readonly record struct ScheduledMessage(TopicName Target, OutgoingMessage Message, DateTimeOffset Due, PublishOptions Options = default);
