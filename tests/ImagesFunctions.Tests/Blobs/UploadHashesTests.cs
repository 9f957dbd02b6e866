using System.Text;
using ImagesFunctions.Blobs;

namespace ImagesFunctions.Tests.Blobs;

public sealed class UploadHashesTests : IDisposable
{
    private readonly UploadHashes _hashes = new();

    public void Dispose() => _hashes.Dispose();

    [Fact]
    public void A_session_that_has_nothing_yet_has_a_new_hash()
    {
        using var hash = _hashes.Take(Session("1") with { Algorithm = "sha512" });
        Assert.Equal(("sha512", 0), (hash!.Algorithm, hash.Size));
    }

    [Fact]
    public void What_was_kept_is_taken_by_one_and_by_nobody_else()
    {
        var session = Session("1", "one");
        var hash = Hashed("one");
        _hashes.Keep(session, hash);
        Assert.Same(hash, _hashes.Take(session));
        Assert.Null(_hashes.Take(session));
        hash.Dispose();
    }

    public static TheoryData<string[], string[], bool> Sessions =>
        new()
        {
            // What the session had when its hash was kept | what it has when it is taken | whether that is the same.
            { ["one"], ["one"], true },
            { ["one", "two"], ["one", "two"], true },
            { ["one"], ["one", "two"], false },
            { ["one"], ["two"], false },
            { ["one", "two"], ["one"], false },
            { ["one", "two"], ["two"], false },
            // Merged parts have another id, and are as long; only who merged them knows that they are the same.
            { ["one", "two"], ["onetwo"], false },
        };

    [Theory]
    [MemberData(nameof(Sessions))]
    public void A_hash_counts_only_for_the_very_parts_that_went_through_it(string[] kept, string[] taken, bool isTaken)
    {
        var hash = Hashed(string.Concat(kept));
        _hashes.Keep(Session("1", kept), hash);
        var found = _hashes.Take(Session("1", taken));
        Assert.Equal(isTaken, ReferenceEquals(hash, found));
        Assert.Equal(isTaken, found is not null);
        Assert.Equal(!isTaken, IsDisposed(hash));
        // In any case it is not kept any more.
        Assert.Null(_hashes.Take(Session("1", kept)));
    }

    [Fact]
    public void A_hash_of_fewer_bytes_than_the_session_has_does_not_count()
    {
        _hashes.Keep(Session("1", "one", "two"), Hashed("two"));
        Assert.Null(_hashes.Take(Session("1", "one", "two")));
    }

    [Fact]
    public void The_last_one_kept_for_a_session_counts()
    {
        var session = Session("1", "one");
        var (first, second) = (Hashed("one"), Hashed("one"));
        _hashes.Keep(session, first);
        _hashes.Keep(session, second);
        Assert.True(IsDisposed(first));
        Assert.Same(second, _hashes.Take(session));
    }

    [Fact]
    public void Of_more_than_256_the_oldest_go_and_are_disposed_of()
    {
        var hashes = new List<ContentHash>();
        for (var i = 0; i < 258; i++)
        {
            hashes.Add(Hashed("one"));
            _hashes.Keep(Session($"{i}", "one"), hashes[i]);
            if (i == 200)
            {
                // As good as new: the oldest is the next one.
                _hashes.Keep(Session("0", "one"), _hashes.Take(Session("0", "one"))!);
            }
        }

        Assert.Equal([1, 2], Enumerable.Range(0, 258).Where(i => IsDisposed(hashes[i])));
        Assert.Null(_hashes.Take(Session("1", "one")));
        Assert.Same(hashes[0], _hashes.Take(Session("0", "one")));
        Assert.Same(hashes[3], _hashes.Take(Session("3", "one")));
        _hashes.Dispose();
        Assert.All(hashes[4..], hash => Assert.True(IsDisposed(hash)));
    }

    [Fact]
    public void Those_who_take_at_the_same_time_never_get_the_same()
    {
        for (var round = 0; round < 50; round++)
        {
            _hashes.Keep(Session("1", "one"), Hashed("one"));
            var taken = new ContentHash?[4];
            Parallel.For(0, taken.Length, i => taken[i] = _hashes.Take(Session("1", "one")));
            Assert.Single(taken.OfType<ContentHash>()).Dispose();
        }
    }

    // The parts are called like their bytes.
    private static UploadRow Session(string id, params string[] parts) =>
        new("web", id, "sha256", [.. parts.Select(p => new UploadPart(p, p.Length))], DateTimeOffset.UnixEpoch);

    private static ContentHash Hashed(string text)
    {
        var hash = new ContentHash("sha256");
        hash.Append(Encoding.UTF8.GetBytes(text));
        return hash;
    }

    private static bool IsDisposed(ContentHash hash)
    {
        try
        {
            _ = hash.Digest;
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
