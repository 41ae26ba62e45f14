using System.Reflection;
using System.Xml.Linq;
using Pub.Sqlite;

namespace Pub.Product.Tests;

/// <summary>What the layout promises (docs/architecture.md), read from the assemblies.</summary>
public class ArchitectureTests
{
    private static readonly Assembly Core = typeof(PubClient).Assembly;
    private static readonly Assembly Sqlite = typeof(SqliteDocumentStore).Assembly;

    private static readonly string[] BannedWords = ["Partition", "Checkpoint", "Commit", "Group", "Lock", "Job", "Worker", "Manager", "Helper", "Util"];

    [Fact]
    public void References_OfCore_AreTheBaseLibraryAndAbstractions() =>
        Assert.DoesNotContain(References(Core), name => !IsBaseLibrary(name) && name is not (
            "Microsoft.Extensions.Configuration.Abstractions" or "Microsoft.Extensions.DependencyInjection.Abstractions"
            or "Microsoft.Extensions.Logging.Abstractions" or "Microsoft.Extensions.Options" or "Microsoft.Extensions.Primitives" or "System.IO.Hashing"));

    [Fact]
    public void References_OfSqlite_AreCoreAndTheDatabase() =>
        Assert.DoesNotContain(References(Sqlite), name => !IsBaseLibrary(name) && name is not (
            "Pub" or "Microsoft.Data.Sqlite" or "Microsoft.Extensions.DependencyInjection.Abstractions" or "Microsoft.Extensions.Options")
            && !name.StartsWith("SQLitePCLRaw.", StringComparison.Ordinal));

    [Fact]
    public void ProjectReferences_OfSources_LeadToCoreOnly()
    {
        foreach (var project in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var references = XDocument.Load(project).Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));
            Assert.Equal(Path.GetFileName(project) == "Pub.csproj" ? [] : ["../Pub/Pub.csproj"], references);
        }
    }

    [Fact]
    public void PackageReferences_OfSources_AreWhereTheyBelong()
    {
        foreach (var project in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var packages = XDocument.Load(project).Descendants("PackageReference").Select(reference => reference.Attribute("Include")!.Value).ToArray();
            Assert.Equal(Path.GetFileName(project) == "Pub.Transport.csproj", packages.Any(package => package.StartsWith("MassTransit", StringComparison.Ordinal)));
            Assert.Equal(Path.GetFileName(project) == "Pub.Sqlite.csproj", packages.Any(package => package.Contains("Sqlite", StringComparison.OrdinalIgnoreCase)));
            Assert.Equal(Path.GetFileName(project) == "Pub.Couchbase.csproj", packages.Any(package => package.StartsWith("Couchbase", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void TypeNames_OfSources_HaveNoBannedWord()
    {
        var faults = from type in Core.GetTypes().Concat(Sqlite.GetTypes())
                     where !type.Name.Contains('<', StringComparison.Ordinal)
                     from word in Words(type.Name)
                     where BannedWords.Contains(word.TrimEnd('s'))
                     select $"{type.FullName}: {word}";
        Assert.Empty(faults);
    }

    [Fact]
    public void PublicMembers_OfSources_NameNoTypeOfTheDatabase()
    {
        var faults = from type in Core.GetExportedTypes().Concat(Sqlite.GetExportedTypes())
                     from member in type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                     from used in TypesOf(member)
                     where used.FullName?.StartsWith("Microsoft.Data.", StringComparison.Ordinal) == true || used.FullName?.StartsWith("SQLitePCL", StringComparison.Ordinal) == true
                     select $"{type.FullName}.{member.Name}: {used.FullName}";
        Assert.Empty(faults);
    }

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(name => name.Name!).Order(StringComparer.Ordinal);

    private static bool IsBaseLibrary(string name) =>
        File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, name + ".dll"));

    private static IEnumerable<Type> TypesOf(MemberInfo member) => member switch
    {
        MethodBase method => [.. method.GetParameters().Select(parameter => parameter.ParameterType), .. method is MethodInfo info ? [info.ReturnType] : Type.EmptyTypes],
        PropertyInfo property => [property.PropertyType],
        FieldInfo field => [field.FieldType],
        _ => [],
    };

    private static IEnumerable<string> Words(string name)
    {
        var start = 0;
        for (var i = 1; i <= name.Length; i++)
        {
            if (i == name.Length || (char.IsUpper(name[i]) && !char.IsUpper(name[i - 1])))
            {
                yield return name[start..i];
                start = i;
            }
        }
    }
}
