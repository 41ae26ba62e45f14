namespace Pub;

/// <summary>What a health fact is about.</summary>
public enum HealthConcern
{
    /// <summary>Nobody reads the subscription, and it holds messages: it holds its topics' entries too.</summary>
    NobodyReads,

    /// <summary>Messages of the subscription have been waiting for longer than allowed.</summary>
    OldMessages,

    /// <summary>Adding shards to the topic was cut short: its new shards are held back until it is repeated.</summary>
    UnfinishedShards,

    /// <summary>A document cannot be read.</summary>
    Unreadable,
}

/// <summary>Something that somebody should look at.</summary>
/// <param name="Concern">What kind of thing it is.</param>
/// <param name="Subject">The topic or subscription.</param>
/// <param name="Detail">What is the matter, in words.</param>
/// <param name="Age">How old the oldest message concerned is, where there is one.</param>
public sealed record HealthFact(HealthConcern Concern, string Subject, string Detail, TimeSpan? Age);
