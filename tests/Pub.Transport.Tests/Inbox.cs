using System.Threading.Channels;

namespace Pub.Transport.Tests;

/// <summary>What consumers of a test received, in order; waits instead of sleeping.</summary>
public sealed class Inbox<T>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Channel<T> _channel = Channel.CreateUnbounded<T>();

    public void Add(T item) => _channel.Writer.TryWrite(item);

    public async Task<T> TakeAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        return await _channel.Reader.ReadAsync(limit.Token);
    }

    public async Task<List<T>> TakeAsync(int count)
    {
        var items = new List<T>();
        while (items.Count < count)
        {
            items.Add(await TakeAsync());
        }

        return items;
    }

    /// <summary>What has come and was not taken.</summary>
    public IReadOnlyList<T> Rest()
    {
        var items = new List<T>();
        while (_channel.Reader.TryRead(out var item))
        {
            items.Add(item);
        }

        return items;
    }
}
