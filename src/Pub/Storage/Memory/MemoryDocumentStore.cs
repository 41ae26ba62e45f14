using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace Pub.Storage.Memory;

/// <summary>Options of a <see cref="MemoryDocumentStore"/>.</summary>
public sealed class MemoryStoreOptions
{
    /// <summary>The default of <see cref="MaxDocumentBytes"/>: 20 MiB.</summary>
    public const int DefaultMaxDocumentBytes = 20 * 1024 * 1024;

    /// <summary>The most bytes that one document may have; more than zero.</summary>
    public int MaxDocumentBytes { get; set; } = DefaultMaxDocumentBytes;
}

/// <summary>
/// A store in memory: for one process, for tests, and for what may be forgotten at its end. Holds the same encoded bytes as the others.
/// </summary>
/// <remarks>
/// <para>Every member but a wait that has to wait completes at once, on the caller's thread; a wait is woken by the write.</para>
/// <para>Versions come from one counter for the whole store, which only rises, so none is used twice.</para>
/// <para>Documents live in <see cref="MemoryStripe"/>s by their key; each has its own lock, and no member holds two.</para>
/// </remarks>
public sealed class MemoryDocumentStore : IDocumentStore
{
    private const int StripeCount = 64;
    private readonly MemoryStripe[] _stripes;
    private readonly TimeProvider _time;
    private long _lastCas;
    private volatile bool _disposed;

    /// <summary>Creates an empty store.</summary>
    /// <param name="time">What times to live and waits are measured with. Null: the system's clock.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="MemoryStoreOptions.MaxDocumentBytes"/> is zero or negative.</exception>
    public MemoryDocumentStore(TimeProvider? time = null, MemoryStoreOptions? options = null)
    {
        MaxDocumentBytes = options?.MaxDocumentBytes ?? MemoryStoreOptions.DefaultMaxDocumentBytes;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxDocumentBytes, nameof(MemoryStoreOptions.MaxDocumentBytes));
        _time = time ?? TimeProvider.System;
        _stripes = new MemoryStripe[StripeCount];
        for (var i = 0; i < StripeCount; i++)
        {
            _stripes[i] = new MemoryStripe(_time, NextCas);
        }
    }

    /// <inheritdoc/>
    public int MaxDocumentBytes { get; }

    /// <summary>Documents in memory, those among them that are past their time to live and not yet removed.</summary>
    internal int DocumentCount => _stripes.Sum(stripe => stripe.Count);

    /// <inheritdoc/>
    public ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        var stripe = StripeOf(key);
        return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<StoredDocument>(cancellationToken) : new(stripe.Get(key));
    }

    /// <inheritdoc/>
    public ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<StoredDocument[]>(cancellationToken);
        }

        var documents = new StoredDocument[keys.Count];
        for (var i = 0; i < documents.Length; i++)
        {
            documents[i] = StripeOf(keys[i]).Get(keys[i]);
        }

        return new(documents);
    }

    /// <inheritdoc/>
    public ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default)
    {
        var stripe = StripeOf(key);
        CheckSize(content);
        return new(stripe.Insert(key, content, options.TimeToLive));
    }

    /// <inheritdoc/>
    public ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default)
    {
        var stripe = StripeOf(key);
        CheckSize(content);
        return new(stripe.Replace(key, content, cas, options.TimeToLive));
    }

    /// <inheritdoc/>
    public ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default) => new(StripeOf(key).Remove(key, cas));

    /// <inheritdoc/>
    public ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default) =>
        new(StripeOf(key).Increment(key, path, delta, options.TimeToLive));

    /// <inheritdoc/>
    public ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var stripe = StripeOf(key);
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "A timeout is zero or more, or infinite.");
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<StoredDocument>(cancellationToken);
        }

        return timeout == TimeSpan.Zero ? new(stripe.Get(key)) : stripe.WaitAsync(key, processed, timeout, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        StripeOf(key);
        return new(Epoch.Constant);
    }

    /// <summary>Forgets everything and ends every wait with <see cref="ObjectDisposedException"/>.</summary>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        foreach (var stripe in _stripes)
        {
            stripe.Close();
        }

        return ValueTask.CompletedTask;
    }

    private ulong NextCas() => (ulong)Interlocked.Increment(ref _lastCas);

    private MemoryStripe StripeOf(DocumentKey key)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        CheckId(key.Id);

        // Not the string's own hash, which differs from process to process: the order in which disposal ends the waits would too.
        return _stripes[XxHash3.HashToUInt64(MemoryMarshal.AsBytes(key.Id.AsSpan())) % StripeCount];
    }

    private static void CheckId(string? id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id, "key");
        if (id.Length > DocumentKey.MaxIdBytes / 3 && Encoding.UTF8.GetByteCount(id) > DocumentKey.MaxIdBytes)
        {
            throw new ArgumentException($"The key that begins '{id[..40]}' has more than {DocumentKey.MaxIdBytes} bytes of UTF-8.", "key");
        }
    }

    private void CheckSize(ReadOnlyMemory<byte> content)
    {
        if (content.Length > MaxDocumentBytes)
        {
            throw new ArgumentException($"The document has {content.Length} bytes; at most {MaxDocumentBytes} are allowed (MaxDocumentBytes).", nameof(content));
        }
    }
}
