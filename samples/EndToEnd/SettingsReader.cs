using System.Globalization;

namespace EndToEnd;

/// <summary>
/// Reads environment variables and gathers what is wrong with them. A variable that is empty counts as not set. A value is shown in a fault only if it
/// is a number or a choice: others might hold a secret.
/// </summary>
internal sealed class SettingsReader(Func<string, string?> environment)
{
    private readonly List<string> _faults = [];

    public IReadOnlyList<string> Faults => _faults;

    public string Text(string name, string standard, Func<string, bool>? isAllowed = null, string? allowed = null)
    {
        var text = Get(name) ?? standard;
        Require(isAllowed is null || isAllowed(text), $"{name} cannot be used; allowed is {allowed}.");
        return text;
    }

    public int Number(string name, int standard, int least, int most)
    {
        if (Get(name) is not { } text)
        {
            return standard;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        _faults.Add($"{name} is '{text}'; allowed are whole numbers from {least} to {most}.");
        return standard;
    }

    public T Choice<T>(string name, T standard, params (string Text, T Value)[] choices)
    {
        if (Get(name) is not { } text)
        {
            return standard;
        }

        foreach (var choice in choices)
        {
            if (choice.Text.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return choice.Value;
            }
        }

        _faults.Add($"{name} is '{text}'; allowed are {string.Join(", ", choices.Select(choice => choice.Text))}.");
        return standard;
    }

    public void Require(bool holds, string fault)
    {
        if (!holds)
        {
            _faults.Add(fault);
        }
    }

    private string? Get(string name) => environment(name)?.Trim() is { Length: > 0 } text ? text : null;
}
