using System.Collections;
using System.Globalization;
using System.Reflection;
using Pub.Sqlite;

namespace Pub.Product.Tests.Docs;

/// <summary>docs/operating.md has a table for every options type, with each setting and its default as the code has it.</summary>
public class DocumentedOptionsTests
{
    public static TheoryData<Type> OptionsTypes =>
        [typeof(PubOptions), typeof(ProducerOptions), typeof(RetentionOptions), typeof(ConsumerOptions), typeof(SqliteStoreOptions)];

    [Theory]
    [MemberData(nameof(OptionsTypes))]
    public void Operating_OptionsType_NamesEverySettingWithItsDefault(Type type)
    {
        var rows = RowsOf(type.Name);
        var options = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            Assert.True(rows.TryGetValue(property.Name, out var standard), $"docs/operating.md has no row for {type.Name}.{property.Name}.");
            if (Text(property.Name, property.GetValue(options)) is { } expected)
            {
                Assert.True(standard == expected, $"docs/operating.md says that the default of {type.Name}.{property.Name} is '{standard}'; it is '{expected}'.");
            }
        }

        Assert.Equal(type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Length, rows.Count);
    }

    [Fact]
    public void OptionsTypes_OfBothAssemblies_AreAllListed()
    {
        var found = typeof(PubClient).Assembly.GetExportedTypes().Concat(typeof(SqliteDocumentStore).Assembly.GetExportedTypes())
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal)
                && type.GetMethod("FindFaults", BindingFlags.NonPublic | BindingFlags.Instance) is not null);
        Assert.Equivalent(OptionsTypes.Select(row => row.Data), found);
    }

    private static Dictionary<string, string> RowsOf(string title)
    {
        var page = Repository.Read("docs/operating.md");
        var start = page.IndexOf($"### {title}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/operating.md has no section {title}.");
        var end = page.IndexOf("\n#", start + 1, StringComparison.Ordinal);
        return page[start..(end < 0 ? page.Length : end)].Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[1].Trim('`'), cells => cells[2].Trim('`'));
    }

    /// <summary>A default as people write it; null for what the page puts in words.</summary>
    private static string? Text(string name, object? value) => value switch
    {
        TimeSpan duration => Text(duration),
        bool flag => flag ? "true" : "false",
        Enum or string => value.ToString(),
        IConvertible number when name.EndsWith("Bytes", StringComparison.Ordinal) => Bytes(number.ToInt64(CultureInfo.InvariantCulture)),
        IConvertible number => number.ToInt64(CultureInfo.InvariantCulture).ToString("N0", CultureInfo.InvariantCulture),
        null or IEnumerable => null,
        _ => null,
    };

    private static string Text(TimeSpan duration) =>
        duration == TimeSpan.Zero ? "0"
        : duration.TotalDays is >= 1 and var days ? Whole(days, "day")
        : duration.TotalSeconds is >= 1 and var seconds ? Whole(seconds, "s")
        : Whole(duration.TotalMilliseconds, "ms");

    private static string Bytes(long bytes) => Whole(bytes / 1024.0 / 1024.0, "MB");

    private static string Whole(double number, string unit) => string.Create(CultureInfo.InvariantCulture, $"{number:0.##} {unit}");
}
