using EndToEnd;
using Microsoft.Extensions.Logging;

namespace Pub.Product.Tests.EndToEnd;

public class SettingsTests
{
    [Fact]
    public void Read_NothingSet_HasTheDefaults()
    {
        var settings = Read([]);
        Assert.Equal(StoreKind.Sqlite, settings.Store);
        Assert.Equal("pub.db", settings.SqlitePath);
        Assert.Equal("couchbase://localhost", settings.CouchbaseConnectionString);
        Assert.Equal("Administrator", settings.CouchbaseUsername);
        Assert.Equal("password", settings.CouchbasePassword);
        Assert.Equal("pubsub", settings.CouchbaseBucketName);
        Assert.Equal("default", settings.CouchbaseScopeName);
        Assert.Equal((50, 1000, 0, 1, 2), (settings.ConsumerBatchSize, settings.EventCount, settings.PublishMessagesPerSecond, settings.PublishRounds, settings.ConsumerMaxEmptyCount));
        Assert.Equal(LogLevel.Information, settings.LogLevel);
    }

    [Fact]
    public void Read_AllWrong_NamesEachWithWhatIsAllowed()
    {
        Dictionary<string, string> wrong = new()
        {
            ["PUB_STORE"] = "oracle",
            ["COUCHBASE_CONNECTION_STRING"] = "http://secret",
            ["COUCHBASE_BUCKET_NAME"] = "a b",
            ["COUCHBASE_SCOPE_NAME"] = "_x",
            ["CONSUMER_BATCH_SIZE"] = "0",
            ["EVENT_COUNT"] = "many",
            ["PUBLISH_MESSAGES_PER_SEC"] = "-1",
            ["PUBLISH_ROUNDS"] = "1.5",
            ["CONSUMER_MAX_EMPTY_COUNT"] = "99999999999",
            ["LOG_LEVEL"] = "loud",
        };
        Assert.Null(Settings.Read(wrong.GetValueOrDefault, out var faults));
        Assert.All(wrong.Keys, name => Assert.Single(faults, fault => fault.StartsWith(name + " ", StringComparison.Ordinal) && fault.Contains("allowed", StringComparison.Ordinal)));
        Assert.Equal(wrong.Count, faults.Count);
        Assert.DoesNotContain(faults, fault => fault.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_TooManyEventsInAllRounds_NamesBoth()
    {
        Dictionary<string, string> values = new() { ["EVENT_COUNT"] = "10000000", ["PUBLISH_ROUNDS"] = "10000" };
        Assert.Null(Settings.Read(values.GetValueOrDefault, out var faults));
        Assert.Contains("EVENT_COUNT times PUBLISH_ROUNDS", Assert.Single(faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("memory", "Memory")]
    [InlineData(" SQLite ", "Sqlite")]
    [InlineData("couchbase", "Couchbase")]
    [InlineData("", "Sqlite")]
    public void Read_Store_WithoutRegardToCaseAndBlanks(string text, string expected) =>
        Assert.Equal(expected, Read(new() { ["PUB_STORE"] = text }).Store.ToString());

    [Fact]
    public void StoreText_AnyStore_HoldsNoPassword()
    {
        foreach (var store in (string[])["sqlite", "memory", "couchbase"])
        {
            var settings = Read(new() { ["PUB_STORE"] = store, ["COUCHBASE_PASSWORD"] = "geheim" });
            Assert.DoesNotContain("geheim", settings.StoreText + settings, StringComparison.Ordinal);
        }
    }

    private static Settings Read(Dictionary<string, string> values)
    {
        var settings = Settings.Read(values.GetValueOrDefault, out var faults);
        Assert.Empty(faults);
        return settings!;
    }
}
