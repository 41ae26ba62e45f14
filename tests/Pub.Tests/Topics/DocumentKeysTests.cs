using System.Text;
using CsCheck;
using Pub.Storage;
using Pub.Topics;

namespace Pub.Tests.Topics;

/// <summary>No two documents share a key, whatever the names are (executions.md 26).</summary>
public class DocumentKeysTests
{
    // Few letters, and the characters that keys are made with, so that names come near each other; some too long for a key.
    private static readonly Gen<string> Name =
        Gen.Select(Gen.OneOfConst("a", "b", ":", "t:", "q:", "s:", "1", "bells", "session", "日").Array[1, 4], Gen.OneOfConst(1, 1, 1, 20))
            .Select((parts, times) => string.Concat(Enumerable.Repeat(string.Concat(parts), times)))
            .Select(name => Encoding.UTF8.GetByteCount(name) <= 200 ? name : name[..60]);

    private static readonly Gen<TopicName> Topic = Gen.Select(Name, Gen.Int[0, 2]).Select((name, kind) =>
        kind switch { 0 => TopicName.Topic(name), 1 => TopicName.Queue(name), _ => TopicName.Internal(name) });

    private static readonly Gen<SubscriptionName> Subscription =
        Gen.Select(Name, Gen.Bool).Select((name, isQueue) => isQueue ? SubscriptionName.Queue(name) : SubscriptionName.Plain(name));

    // What identifies a document, and its key.
    private static readonly Gen<(string Identity, DocumentKey Key)> Document = Gen.OneOf(
        Gen.OneOfConst(("bells", DocumentKeys.Bells), ("sessions", DocumentKeys.Sessions), ("days", DocumentKeys.ScheduleDays)),
        Gen.Select(Topic, Gen.Int[0, 12]).Select((topic, part) => ($"topic {topic} {part}", DocumentKeys.Topic(topic, part))),
        Gen.Select(Topic, Gen.Int[0, 12], Gen.Long[1, 120]).Select((topic, shard, offset) =>
            ($"entry {topic} {shard} {offset}", DocumentKeys.Entry(new ShardId(topic, shard), new Offset(offset)))),
        Gen.Select(Subscription, Gen.OneOfConst("0a", "1", "1a"), Gen.Int[0, 15]).Select((subscription, incarnation, lease) =>
            ($"cursor {subscription} {incarnation} {lease}", DocumentKeys.Cursor(subscription, incarnation, lease))),
        Gen.Select(Subscription, Gen.OneOfConst("0a", "1", "1a")).Select((subscription, incarnation) =>
            ($"assignment {subscription} {incarnation}", DocumentKeys.Assignment(subscription, incarnation))),
        Gen.OneOfConst("0a", "1", "s").Select(session => ($"session {session}", DocumentKeys.Session(session))),
        Topic.Select(topic => ($"topology {topic}", DocumentKeys.TopicTopology(topic))),
        Subscription.Select(subscription => ($"subscription {subscription}", DocumentKeys.Subscription(subscription))),
        Gen.Int[0, 12].Select(page => ($"catalog {page}", DocumentKeys.Catalog(page))));

    [Fact]
    public void Key_OfAnyTwoDocuments_IsTheSameOnlyForTheSameDocument() =>
        Document.Array[2, 60].Sample(documents =>
            documents.DistinctBy(d => d.Identity).Count() == documents.DistinctBy(d => d.Key).Count()
            && documents.Distinct().Count() == documents.DistinctBy(d => d.Key).Count());

    [Fact]
    public void Key_OfAnyDocument_IsShortEnoughForEveryStore() =>
        Document.Sample(document => Encoding.UTF8.GetByteCount(document.Key.Id) is > 0 and <= DocumentKey.MaxIdBytes);

    [Fact]
    public void Key_OfTheLongestParts_IsShortEnoughForEveryStore()
    {
        var shard = new ShardId(TopicName.Topic(new string('日', 66)), int.MaxValue);
        var subscription = SubscriptionName.Plain(new string('日', 66));
        Assert.InRange(Encoding.UTF8.GetByteCount(DocumentKeys.Entry(shard, new Offset(long.MaxValue)).Id), 1, 200);
        Assert.InRange(Encoding.UTF8.GetByteCount(DocumentKeys.Cursor(subscription, new string('f', 24), int.MaxValue).Id), 1, 200);
        Assert.InRange(Encoding.UTF8.GetByteCount(DocumentKeys.Assignment(subscription, new string('f', 24)).Id), 1, 200);
    }

    [Fact]
    public void KeyPart_LongNamesThatDifferOnlyAtTheEnd_Differ()
    {
        var parts = Enumerable.Range(0, 1_000).Select(i => NameRules.KeyPart("t:" + new string('a', 150) + i)).ToHashSet();
        Assert.Equal(1_000, parts.Count);
        Assert.All(parts, part => Assert.Contains('~', part));
    }

    // The hash is part of the stored format: these keys never change.
    [Fact]
    public void Key_OfKnownDocuments_Stays()
    {
        Assert.Equal("Messages/t:orders/3/17", DocumentKeys.Entry(new ShardId(TopicName.Topic("orders"), 3), new Offset(17)).ToString());
        Assert.Equal("Offsets/q:orders", DocumentKeys.Topic(TopicName.Queue("orders"), 0).ToString());
        Assert.Equal("Offsets/q:orders/1", DocumentKeys.Topic(TopicName.Queue("orders"), 1).ToString());
        Assert.Equal("Cursors/s:audit/0a/5", DocumentKeys.Cursor(SubscriptionName.Plain("audit"), "0a", 5).ToString());
        Assert.Equal("t:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~fc45a69c727e30d7901cd57ab6bddc94", NameRules.KeyPart("t:" + new string('a', 200)));
    }
}
