using System.Globalization;
using System.Text;
using Pub.Storage;

namespace Pub.Sqlite.Tests;

public sealed class CrashTests : IDisposable
{
    private readonly TemporaryFile _file = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kill_WhileWriting_LosesNothingConfirmedAndRepeatsNoVersion(bool anotherProcessHasTheFileOpen)
    {
        var survivor = anotherProcessHasTheFileOpen ? await _file.OpenAsync() : null;
        var confirmed = new Dictionary<string, ulong>();
        for (var run = 0; run < 3; run++)
        {
            foreach (var line in await PublishAndKillAsync(run))
            {
                var parts = line.Split(' ');
                Assert.True(parts[0] == "Applied", $"The offset of {parts[1]} was handed out twice.");
                confirmed.Add(parts[1], ulong.Parse(parts[2], CultureInfo.InvariantCulture));
            }

            await AssertAllThereAsync(confirmed);
        }

        Assert.Equal(confirmed.Count, confirmed.Values.Distinct().Count());
        if (survivor is not null)
        {
            await survivor.DisposeAsync();
        }

        RawFile.AssertSound(_file.Path);
    }

    private async Task<List<string>> PublishAndKillAsync(int run)
    {
        using var probe = new Probe("publish", _file.Path, run.ToString(CultureInfo.InvariantCulture));
        var lines = new List<string>();
        while (lines.Count < 400)
        {
            lines.Add(await probe.ReadLineAsync() ?? throw new InvalidOperationException("The probe ended by itself."));
        }

        probe.Kill();
        lines.AddRange(await probe.ReadToEndAsync());
        if (lines[^1].Split(' ').Length < 4)
        {
            lines.RemoveAt(lines.Count - 1); // cut off while it was printed
        }

        return lines;
    }

    private async Task AssertAllThereAsync(Dictionary<string, ulong> confirmed)
    {
        await using var store = await _file.OpenAsync();
        var offsets = await store.GetAsync(new(DocumentCollection.Offsets, "t:crash"), Token);
        foreach (var (id, cas) in confirmed)
        {
            var document = await store.GetAsync(new(DocumentCollection.Messages, id), Token);
            Assert.Equal(cas, document.Cas.Value);
            Assert.StartsWith($$"""{"id":"{{id}}","body":"xxx""", Encoding.UTF8.GetString(document.Content.Span), StringComparison.Ordinal);

            var parts = id.Split('/');
            var tail = JsonCounter.Read(offsets.Content.Span, new CounterPath("tails", int.Parse(parts[1], CultureInfo.InvariantCulture)));
            Assert.True(long.Parse(parts[2], CultureInfo.InvariantCulture) <= tail, $"{id} is above the tail {tail} that reserved its offset.");
        }
    }
}
