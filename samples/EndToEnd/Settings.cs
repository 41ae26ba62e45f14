using Microsoft.Extensions.Logging;

namespace EndToEnd;

/// <summary>The store that a run uses.</summary>
internal enum StoreKind
{
    Sqlite,
    Memory,
    Couchbase,
}

/// <summary>What the environment variables say, checked. Not a record: the password must not get into a text by accident.</summary>
internal sealed class Settings
{
    /// <summary>One long is kept per event of a run.</summary>
    private const long MaxEventsOfRun = 10_000_000;

    public StoreKind Store { get; private init; }

    public required string SqlitePath { get; init; }

    public required string CouchbaseConnectionString { get; init; }

    public required string CouchbaseUsername { get; init; }

    public required string CouchbasePassword { get; init; }

    public required string CouchbaseBucketName { get; init; }

    public required string CouchbaseScopeName { get; init; }

    public int ConsumerBatchSize { get; private init; }

    public int EventCount { get; private init; }

    public int PublishMessagesPerSecond { get; private init; }

    public int PublishRounds { get; private init; }

    public int ConsumerMaxEmptyCount { get; private init; }

    public LogLevel LogLevel { get; private init; }

    public int EventsOfRun => EventCount * PublishRounds;

    /// <summary>The store, as it may be shown.</summary>
    public string StoreText => Store switch
    {
        StoreKind.Sqlite => $"sqlite, {Path.GetFullPath(SqlitePath)}",
        StoreKind.Memory => "memory",
        _ => "couchbase",
    };

    /// <summary>Reads all variables. Null if any cannot be used: then <paramref name="faults"/> names each of those and what is allowed.</summary>
    public static Settings? Read(Func<string, string?> environment, out IReadOnlyList<string> faults)
    {
        var reader = new SettingsReader(environment);
        var settings = new Settings
        {
            Store = reader.Choice("PUB_STORE", StoreKind.Sqlite, ("sqlite", StoreKind.Sqlite), ("memory", StoreKind.Memory), ("couchbase", StoreKind.Couchbase)),
            SqlitePath = reader.Text("PUB_SQLITE_PATH", "pub.db"),
            CouchbaseConnectionString = reader.Text(
                "COUCHBASE_CONNECTION_STRING", "couchbase://localhost", IsConnectionString, "couchbase://<hosts> or couchbases://<hosts>"),
            CouchbaseUsername = reader.Text("COUCHBASE_USERNAME", "Administrator"),
            CouchbasePassword = reader.Text("COUCHBASE_PASSWORD", "password"),
            CouchbaseBucketName = reader.Text("COUCHBASE_BUCKET_NAME", "pubsub", IsBucketName, "1 to 100 letters, digits and - _ . %"),
            CouchbaseScopeName = reader.Text("COUCHBASE_SCOPE_NAME", "default", IsScopeName, "1 to 251 letters, digits and - _ %, not beginning with _ or %, or _default"),
            ConsumerBatchSize = reader.Number("CONSUMER_BATCH_SIZE", 50, 1, 10_000),
            EventCount = reader.Number("EVENT_COUNT", 1_000, 1, (int)MaxEventsOfRun),
            PublishMessagesPerSecond = reader.Number("PUBLISH_MESSAGES_PER_SEC", 0, 0, 1_000_000),
            PublishRounds = reader.Number("PUBLISH_ROUNDS", 1, 1, 10_000),
            ConsumerMaxEmptyCount = reader.Number("CONSUMER_MAX_EMPTY_COUNT", 2, 1, 1_000),
            LogLevel = reader.Choice(
                "LOG_LEVEL", LogLevel.Information, ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warn", LogLevel.Warning), ("error", LogLevel.Error)),
        };
        reader.Require(
            (long)settings.EventCount * settings.PublishRounds <= MaxEventsOfRun,
            $"EVENT_COUNT times PUBLISH_ROUNDS is {(long)settings.EventCount * settings.PublishRounds}; allowed are up to {MaxEventsOfRun}.");
        faults = reader.Faults;
        return faults.Count == 0 ? settings : null;
    }

    private static bool IsConnectionString(string text) =>
        (text.StartsWith("couchbase://", StringComparison.Ordinal) && text.Length > "couchbase://".Length)
        || (text.StartsWith("couchbases://", StringComparison.Ordinal) && text.Length > "couchbases://".Length);

    private static bool IsBucketName(string text) =>
        text.Length <= 100 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '%');

    private static bool IsScopeName(string text) => text == "_default"
        || (text.Length <= 251 && text[0] is not ('_' or '%') && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '%'));
}
