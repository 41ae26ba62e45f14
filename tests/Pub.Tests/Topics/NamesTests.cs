using System.Text;

namespace Pub.Tests.Topics;

public class NamesTests
{
    public static TheoryData<string> GoodNames => ["a", "A", "0", "-_.:", "orders.eu-1:x_y", "Überweisung", "e\u0301", "日本語", "हिन्दी", "𝒜", new string('a', 200), new string('日', 66), "t:a"];

    public static TheoryData<string> BadNames =>
        ["", " ", "a b", "a/b", "a~", "a\\b", "a\n", "a\0", "a*", "a%", "a?", "a#", "a\"", "😀", "a\u200D", "\ud800", "\uFFFD", new string('a', 201), new string('日', 67)];

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void Create_GoodName_IsKeptAndParsedBack(string name)
    {
        Assert.Equal(name, TopicName.Topic(name).Name);
        Assert.Equal(TopicName.Topic(name), TopicName.Parse("t:" + name));
        Assert.Equal(TopicName.Queue(name), TopicName.Parse("q:" + name));
        Assert.Equal(SubscriptionName.Plain(name), SubscriptionName.Parse("s:" + name));
        Assert.Equal(SubscriptionName.Queue(name), SubscriptionName.Parse("q:" + name));
        Assert.Equal("q:" + name, TopicName.Queue(name).ToString());
        Assert.Equal("s:" + name, SubscriptionName.Plain(name).ToString());
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public void Create_BadName_ThrowsArgumentExceptionThatNamesTheArgument(string name)
    {
        Assert.Throws<ArgumentException>(nameof(name), () => TopicName.Topic(name));
        Assert.Throws<ArgumentException>(nameof(name), () => TopicName.Queue(name));
        Assert.Throws<ArgumentException>(nameof(name), () => SubscriptionName.Plain(name));
        Assert.Throws<ArgumentException>(nameof(name), () => SubscriptionName.Queue(name));
    }

    [Fact]
    public void Create_Null_ThrowsArgumentNull()
    {
        Assert.Throws<ArgumentNullException>("name", () => TopicName.Topic(null!));
        Assert.Throws<ArgumentNullException>("text", () => TopicName.Parse(null!));
        Assert.Throws<ArgumentNullException>("text", () => SubscriptionName.Parse(null!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("orders")]
    [InlineData("x:orders")]
    [InlineData("T:orders")]
    public void Parse_NoKind_ThrowsFormat(string text)
    {
        Assert.Throws<FormatException>(() => TopicName.Parse(text));
        Assert.Throws<FormatException>(() => SubscriptionName.Parse(text));
    }

    [Theory]
    [InlineData("t:")]
    [InlineData("q:")]
    public void Parse_KindWithoutName_ThrowsArgumentException(string text) => Assert.Throws<ArgumentException>("name", () => TopicName.Parse(text));

    [Fact]
    public void Name_OfDefault_Throws()
    {
        Assert.Throws<InvalidOperationException>(() => default(TopicName).Name);
        Assert.Throws<InvalidOperationException>(() => default(SubscriptionName).Name);
    }

    [Fact]
    public void Equals_QueueAndTopicOfOneName_AreDifferent()
    {
        Assert.NotEqual(TopicName.Topic("a"), TopicName.Queue("a"));
        Assert.NotEqual(SubscriptionName.Plain("a"), SubscriptionName.Queue("a"));
        Assert.NotEqual(TopicName.Topic("a"), TopicName.Topic("A"));
        Assert.True(TopicName.Queue("b").CompareTo(TopicName.Topic("a")) < 0);
    }

    [Fact]
    public void OwnQueue_OfQueue_IsTheQueueItself() => Assert.Equal(TopicName.Queue("a"), SubscriptionName.Queue("a").OwnQueue);

    [Fact]
    public void OwnQueue_OfPlainSubscriptions_IsEachOnesOwn()
    {
        var longName = new string('a', 200);
        var hidden = SubscriptionName.Plain(longName).OwnQueue;
        string[] names = ["a", "A", "own:a", longName, new string('a', 199), new string('a', 180), new string('日', 66), hidden.Name["own:".Length..]];
        var queues = names.Select(name => SubscriptionName.Plain(name).OwnQueue).ToArray();
        Assert.Equal(names.Length, queues.Distinct().Count());
        Assert.All(queues, queue => Assert.Equal(TopicKind.Internal, queue.Kind));
        Assert.All(queues, queue => Assert.InRange(Encoding.UTF8.GetByteCount(queue.Name), 1, 200));
    }
}
