using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Pub.Registration;

/// <summary>
/// Reads options from a section of the configuration and checks them: texts that are no value and values that are not allowed are named together, with
/// what is allowed. (The framework's binder stops at the first text that it cannot read.)
/// </summary>
/// <param name="optionsName">The options' name; empty for the unnamed ones.</param>
/// <param name="path">The section, with colons.</param>
/// <param name="configuration">Null: there is none, the defaults and the program's own settings count.</param>
/// <param name="findFaults">What is wrong with the values; null for nothing.</param>
internal sealed class SettingsSection<TOptions>(string optionsName, string path, IConfiguration? configuration, Func<TOptions, string?> findFaults)
    : IConfigureNamedOptions<TOptions>, IValidateOptions<TOptions>
    where TOptions : class, new()
{
    public void Configure(string? name, TOptions options)
    {
        if (name == optionsName && configuration is not null)
        {
            Read(configuration.GetSection(path), options, []);
        }
    }

    public void Configure(TOptions options) => Configure(Options.DefaultName, options);

    public ValidateOptionsResult Validate(string? name, TOptions options)
    {
        if (name != optionsName)
        {
            return ValidateOptionsResult.Skip;
        }

        var faults = new List<string>();
        if (configuration is not null)
        {
            Read(configuration.GetSection(path), new TOptions(), faults);
        }

        if (findFaults(options) is { } found)
        {
            faults.Add($"{path}: {found}");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static void Read(IConfigurationSection section, object options, List<string> faults)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var setting = section.GetSection(property.Name);
            var converter = TypeDescriptor.GetConverter(property.PropertyType);
            if (!converter.CanConvertFrom(typeof(string)))
            {
                if (property.GetValue(options) is { } inner && inner is not System.Collections.IEnumerable)
                {
                    Read(setting, inner, faults);
                }
            }
            else if (setting.Value is { } text && property.SetMethod is { IsPublic: true })
            {
                ReadValue(setting.Path, text, property, converter, options, faults);
            }
        }
    }

    private static void ReadValue(string path, string text, PropertyInfo property, TypeConverter converter, object options, List<string> faults)
    {
        try
        {
            property.SetValue(options, converter.ConvertFromInvariantString(text));
        }
#pragma warning disable CA1031 // converters throw what they like for a text that is no value; whatever it is, the text is at fault
        catch (Exception)
#pragma warning restore CA1031
        {
            faults.Add($"{path} is '{text}'; allowed is {Allowed(property.PropertyType)}.");
        }
    }

    private static string Allowed(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(TimeSpan) ? "a duration such as 00:00:30 (hours, minutes, seconds)"
            : type == typeof(bool) ? "true or false"
            : type.IsEnum ? string.Join(", ", Enum.GetNames(type))
            : string.Create(CultureInfo.InvariantCulture, $"a value of type {type.Name}");
    }
}
