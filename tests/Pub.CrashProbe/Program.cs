using System.Globalization;
using System.Text;
using Pub.Sqlite;
using Pub.Storage;

// Usage: publish <file> <run> | count <file> <times> | wait <file> <id>. Everything printed was confirmed by the store before.
var (command, path, argument) = (args[0], args[1], args[2]);
await using var store = await SqliteDocumentStore.OpenAsync(new SqliteStoreOptions { Path = path });
await (command switch
{
    "publish" => Publish(),
    "count" => Count(int.Parse(argument, CultureInfo.InvariantCulture)),
    "wait" => Wait(),
    _ => throw new ArgumentException($"No command {command}."),
});

// Reserves an offset and inserts there, as producers do, until it is killed.
async Task Publish()
{
    var offsets = new DocumentKey(DocumentCollection.Offsets, "t:crash");
    await store.InsertAsync(offsets, """{"tails":[0,0,0,0]}"""u8.ToArray(), WriteOptions.Synced);
    await Task.WhenAll(Enumerable.Range(0, 4).Select(shard => Task.Run(async () =>
    {
        while (true)
        {
            var offset = (await store.IncrementAsync(offsets, new CounterPath("tails", shard), 1)).Value;
            var id = $"t:crash/{shard}/{offset}";
            var inserted = await store.InsertAsync(new(DocumentCollection.Messages, id), Content(id), WriteOptions.Synced);
            Say($"{inserted.Status} {id} {inserted.Cas.Value} {argument}");
        }
    })));
}

// Competes with other processes: increments one document, and replaces another under its CAS.
async Task Count(int times)
{
    var counter = new DocumentKey(DocumentCollection.Offsets, "counter");
    var replaced = new DocumentKey(DocumentCollection.Cursors, "replaced");
    for (var i = 0; i < times; i++)
    {
        Say($"value {(await store.IncrementAsync(counter, new("n"), 1)).Value}");
        WriteResult result;
        do
        {
            var read = await store.GetAsync(replaced);
            result = await store.ReplaceAsync(replaced, JsonCounter.Add(read.Content.Span, new("n"), 1, out _), read.Cas, WriteOptions.Synced);
        }
        while (!result.IsApplied);
        Say($"cas {result.Cas.Value}");
    }
}

// Says that it waits, and each version that it was woken with, until the document is removed.
async Task Wait()
{
    var key = new DocumentKey(DocumentCollection.Offsets, argument);
    var document = await store.GetAsync(key);
    do
    {
        Say($"waiting {document.Cas.Value}");
        document = await store.WaitAsync(key, document.Cas, Timeout.InfiniteTimeSpan);
        Say($"woken {document.Cas.Value}");
    }
    while (document.Exists);
}

static byte[] Content(string id) => Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","body":"{{new string('x', 3_000)}}"}""");

static void Say(string line) => Console.Out.WriteLine(line);
