using System.Text.RegularExpressions;

namespace Pub.Product.Tests.Docs;

/// <summary>
/// Every C# example on a page is also in a file of the folder Snippets, which is compiled: its using directives at the head, and the rest between the
/// lines "// begin" and "// end".
/// </summary>
public partial class SnippetTests
{
    public static TheoryData<string> Pages => Repository.Pages;

    private static IReadOnlyList<Snippet> Compiled { get; } =
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "Pub.Product.Tests", "Snippets"), "*.cs").Select(file => Snippet.OfFile(File.ReadAllText(file).ReplaceLineEndings("\n"))),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_EveryExample_IsCompiled(string page)
    {
        foreach (Match block in Block().Matches(Repository.Read(page)))
        {
            var example = Snippet.OfPage(block.Groups[1].Value);
            Assert.True(
                Compiled.Any(compiled => compiled.Body == example.Body && example.Usings.All(compiled.Usings.Contains)),
                $"{page} has an example that is in no file of tests/Pub.Product.Tests/Snippets:\n{block.Value}");
        }
    }

    [Fact]
    public void Readme_FirstExample_IsThere() => Assert.NotEmpty(Block().Matches(Repository.Read("README.md")));

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    private sealed record Snippet(IReadOnlyList<string> Usings, string Body)
    {
        public static Snippet OfPage(string text)
        {
            var lines = text.Split('\n');
            return new([.. lines.Where(IsUsing)], string.Join('\n', lines.Where(line => !IsUsing(line))).Trim('\n'));
        }

        public static Snippet OfFile(string text)
        {
            var lines = text.Split('\n');
            var begin = Array.FindIndex(lines, line => line.Trim() == "// begin");
            var end = Array.FindIndex(lines, line => line.Trim() == "// end");
            Assert.True(begin >= 0 && end > begin, "A snippet's file has no lines '// begin' and '// end'.");
            var indent = lines[begin].Length - lines[begin].TrimStart().Length;
            return new([.. lines.Where(IsUsing)], string.Join('\n', lines[(begin + 1)..end].Select(line => line.Length > indent ? line[indent..] : "")).Trim('\n'));
        }

        private static bool IsUsing(string line) => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=', StringComparison.Ordinal);
    }
}
