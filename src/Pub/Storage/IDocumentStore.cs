namespace Pub.Storage;

/// <summary>
/// The one port through which everything durable goes: JSON documents in named collections, each with a CAS. Any store that
/// passes the contract tests (tests/Pub.Testing/Storage/DocumentStoreContract.cs) can carry the whole protocol.
/// </summary>
/// <remarks>
/// <para>Competition (exists, missing, CAS moved) is a <see cref="WriteResult"/>, never an exception.</para>
/// <para>The environment's trouble is a <see cref="PubException"/>: <see cref="StoreUnavailableException"/> when an operation certainly did not
/// happen and may be tried again, <see cref="OutcomeUnknownException"/> when a write may or may not have happened, and may still happen later.</para>
/// <para>Writes take no cancellation token: a write that has begun has an outcome. Reads and waits may be cancelled.</para>
/// <para>All members may be called from any thread, concurrently.</para>
/// <para>The content given to a write is the caller's: the store does not use it after the write has ended with a result. (After an
/// <see cref="OutcomeUnknownException"/> it still may.) The content that a read answers is nobody's to change, and stays as it is.</para>
/// <para>A key without an id, or one above <see cref="DocumentKey.MaxIdBytes"/>, is an <see cref="ArgumentException"/>. After disposal every member
/// throws <see cref="ObjectDisposedException"/>, and so do the waits that were under way.</para>
/// </remarks>
public interface IDocumentStore : IAsyncDisposable
{
    /// <summary>The most bytes that one document's content may have. A larger one is refused with <see cref="ArgumentException"/>.</summary>
    int MaxDocumentBytes { get; }

    /// <summary>Reads one document. What is missing, or past its time to live, is <see cref="StoredDocument.Missing"/>.</summary>
    ValueTask<StoredDocument> GetAsync(DocumentKey key, CancellationToken cancellationToken = default);

    /// <summary>Reads several documents; the answer has the order of <paramref name="keys"/>. Not a snapshot: each is read on its own.</summary>
    ValueTask<StoredDocument[]> GetManyAsync(IReadOnlyList<DocumentKey> keys, CancellationToken cancellationToken = default);

    /// <summary>Writes a new document. <see cref="WriteStatus.Exists"/> if there is one under the key.</summary>
    ValueTask<WriteResult> InsertAsync(DocumentKey key, ReadOnlyMemory<byte> content, WriteOptions options = default);

    /// <summary>
    /// Writes over the version that has <paramref name="cas"/>. <see cref="WriteStatus.Moved"/> if it is another one now,
    /// <see cref="WriteStatus.Missing"/> if there is none.
    /// </summary>
    ValueTask<WriteResult> ReplaceAsync(DocumentKey key, ReadOnlyMemory<byte> content, Cas cas, WriteOptions options = default);

    /// <summary>Removes a document: any version for <see cref="Cas.None"/>, else only the version that has <paramref name="cas"/>.</summary>
    ValueTask<WriteResult> RemoveAsync(DocumentKey key, Cas cas = default, WriteOptions options = default);

    /// <summary>
    /// Adds <paramref name="delta"/> to a whole number inside a JSON document, atomically, and answers the new value.
    /// <see cref="WriteStatus.Missing"/> if there is no document. The document's CAS changes.
    /// </summary>
    /// <exception cref="DocumentFormatException">The document holds no whole number at <paramref name="path"/>; it stays as it was.</exception>
    ValueTask<IncrementResult> IncrementAsync(DocumentKey key, CounterPath path, long delta, WriteOptions options = default);

    /// <summary>
    /// Waits until the document differs from the version that the caller has processed, and answers it; at once if it differs already.
    /// <see cref="Cas.None"/> stands for "missing": then an insert ends the wait. Answers what is there when <paramref name="timeout"/>
    /// has passed. An embedded store is woken by the write; others poll adaptively.
    /// </summary>
    ValueTask<StoredDocument> WaitAsync(DocumentKey key, Cas processed, TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>
    /// The epoch of the document's place: changes when a failover may have lost writes that were not durable.
    /// <see cref="Epoch.Constant"/> on stores that lose none.
    /// </summary>
    ValueTask<Epoch> GetEpochAsync(DocumentKey key, CancellationToken cancellationToken = default);
}
