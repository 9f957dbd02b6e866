using ImagesFunctions.Rows;

namespace ImagesFunctions.Blobs;

/// <summary>
/// The rows of push sessions as this process last wrote them. Another process may have moved or ended one since: whoever uses
/// a row from here finds that out by its ETag, or by what does not fit, and then reads it.
/// </summary>
internal sealed class RecentSessions
{
    private const int MaxKept = 256;

    // In the order in which they were kept: the oldest goes first. Guarded by itself.
    private readonly OrderedDictionary<(string Namespace, string Id), UploadRow> _kept = [];

    /// <summary>The session as it was last written here; null where this process does not know it.</summary>
    public UploadRow? Find(string @namespace, string id)
    {
        lock (_kept)
        {
            return _kept.GetValueOrDefault((@namespace, id));
        }
    }

    /// <summary>Keeps a row in place of the one before.</summary>
    public void Keep(string @namespace, UploadRow row)
    {
        lock (_kept)
        {
            _kept.Remove((@namespace, row.Id));
            _kept.Add((@namespace, row.Id), row);
            if (_kept.Count > MaxKept)
            {
                _kept.RemoveAt(0);
            }
        }
    }

    /// <summary>Forgets a session.</summary>
    public void Forget(string @namespace, string id)
    {
        lock (_kept)
        {
            _kept.Remove((@namespace, id));
        }
    }
}
