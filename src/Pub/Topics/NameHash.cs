using System.IO.Hashing;
using System.Text;

namespace Pub.Topics;

/// <summary>
/// Spreads names over catalog pages and bells. Part of the stored format: it never changes.
/// </summary>
internal static class NameHash
{
    public static int Spread(string name, int count) => (int)(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name)) % (ulong)count);
}
