using System.Text;
using Pub.Leases;
using Pub.Storage;

namespace Pub.Tests.Storage;

public sealed class DocumentFormatTests
{
    private static readonly DocumentKey Key = new(DocumentCollection.Leases, "sessions");

    [Fact]
    public void Write_AnyDocument_BeginsWithTheVersion() =>
        Assert.Equal("""{"v":1,"sessions":["a"]}""", Encoding.UTF8.GetString(LeaseFormats.Directory.Write(new SessionDirectory { Sessions = ["a"] }).Span));

    [Fact]
    public void Read_Missing_IsNull() => Assert.Null(LeaseFormats.Directory.Read(Key, StoredDocument.Missing));

    [Fact]
    public void Read_NewerVersion_IsRefusedWhateverItsShape()
    {
        var refused = Assert.Throws<FormatVersionException>(() => Read("""{"sessions":{"a":1},"v":2}"""));

        Assert.Equal((2, 1), (refused.Found, refused.Supported));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("""{"v":"1"}""")]
    [InlineData("""{"v":0}""")]
    [InlineData("""{"v":1,"sessions":7}""")]
    [InlineData("""{"v":1,"sessions":["a"]""")]
    [InlineData("\u0000\u0001")]
    public void Read_Damaged_IsAFormatFault(string content) => Assert.Throws<DocumentFormatException>(() => Read(content));

    [Fact]
    public void Assignment_WrittenAndRead_IsTheSame()
    {
        var written = AssignmentDocument.New(new LeaseScope(SubscriptionName.Queue("orders"), "i7", 2)) with
        {
            Members = ["a", "b"],
            Leases = [new LeaseRecord { Token = 3 }, new LeaseRecord { Session = "b", Token = 4, State = LeaseState.Left }],
        };

        var content = LeaseFormats.Assignment.Write(written);
        var read = LeaseFormats.Assignment.Read(Key, new StoredDocument(content, new Cas(1)))!;

        Assert.Equal(
            """{"v":1,"subscription":"q:orders","incarnation":"i7","members":["a","b"],"leases":[{"token":3,"state":"free"},{"session":"b","token":4,"state":"left"}]}""",
            Encoding.UTF8.GetString(content.Span));
        Assert.Equal(written.Leases, read.Leases);
        Assert.Equal(written.Members, read.Members);
    }

    private static SessionDirectory? Read(string content) =>
        LeaseFormats.Directory.Read(Key, new StoredDocument(Encoding.UTF8.GetBytes(content), new Cas(1)));
}
