using ImagesFunctions.Rows;

namespace ImagesFunctions.Blobs;

/// <summary>
/// Hashes of sessions that are not finished, so that what came in several requests to this process need not be read back.
/// A hash counts only for the very parts that went through it; whoever takes it has it alone.
/// </summary>
internal sealed class UploadHashes : IDisposable
{
    private const int MaxKept = 256;

    // In the order in which they were kept: the oldest goes first. Guarded by itself.
    private readonly OrderedDictionary<string, (string LastPart, ContentHash Hash)> _kept = new(StringComparer.Ordinal);

    /// <summary>Takes the hash of all that a session has stored: a new one where it has nothing yet; null when it is not known here.</summary>
    public ContentHash? Take(UploadRow session)
    {
        lock (_kept)
        {
            if (_kept.Remove(session.Id, out var kept))
            {
                if (
                    session.Parts.Count > 0
                    && session.Parts[^1].Id == kept.LastPart
                    && kept.Hash.Size == session.Offset
                )
                {
                    return kept.Hash;
                }

                kept.Hash.Dispose();
            }
        }

        return session.Parts.Count == 0 ? new ContentHash(session.Algorithm) : null;
    }

    /// <summary>Keeps a hash for the next request.</summary>
    public void Keep(UploadRow session, ContentHash hash)
    {
        lock (_kept)
        {
            if (_kept.Remove(session.Id, out var other))
            {
                other.Hash.Dispose();
            }

            _kept.Add(session.Id, (session.Parts[^1].Id, hash));
            if (_kept.Count > MaxKept)
            {
                _kept.GetAt(0).Value.Hash.Dispose();
                _kept.RemoveAt(0);
            }
        }
    }

    public void Dispose()
    {
        lock (_kept)
        {
            foreach (var (_, hash) in _kept.Values)
            {
                hash.Dispose();
            }

            _kept.Clear();
        }
    }
}
