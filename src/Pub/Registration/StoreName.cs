namespace Pub.Registration;

/// <summary>The name of a store in a process: the key of its services, and its part of the configuration.</summary>
internal static class StoreName
{
    private const string Root = "Pub";

    /// <summary>The section of the configuration that holds the store's settings.</summary>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    public static string SectionOf(string? name)
    {
        if (name is null)
        {
            return Root;
        }

        if (name.Length is 0 or > 100 || !name.All(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.'))
        {
            throw new ArgumentException($"'{name}' cannot name a store; allowed are 1 to 100 letters, digits and - _ .", nameof(name));
        }

        // Its section would be that setting of the store without a name.
        return IsSetting(name)
            ? throw new ArgumentException($"'{name}' cannot name a store, because it is a setting of Pub.", nameof(name))
            : $"{Root}:{name}";
    }

    private static bool IsSetting(string name) =>
        name.Equals("Sqlite", StringComparison.OrdinalIgnoreCase)
        || typeof(PubOptions).GetProperties().Any(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
