using System.Text.RegularExpressions;

namespace Pub.Product.Tests.Docs;

/// <summary>What pages link to, and the files and tests that they name, exist.</summary>
public partial class LinkTests
{
    public static TheoryData<string> Pages => Repository.Pages;

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_EveryLink_LeadsSomewhere(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        var missing = Link().Matches(Repository.Read(page))
            .Select(link => link.Groups[1].Value.Split('#')[0])
            .Where(target => target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
            .Where(target => !Path.Exists(Path.Combine(folder, target)));
        Assert.Empty(missing);
    }

    [Fact]
    public void Invariants_EveryTestNamed_Exists()
    {
        var sources = string.Concat(
            Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var missing = TestName().Matches(Repository.Read("docs/invariants.md"))
            .Select(name => name.Groups[1].Value)
            .Where(name => !sources.Contains($" {name}(", StringComparison.Ordinal));
        Assert.Empty(missing);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([A-Z]\w+_\w+_\w+)`")]
    private static partial Regex TestName();
}
