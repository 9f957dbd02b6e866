using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>The tags of a repository, by the images that they point to.</summary>
internal sealed class RepositoryTags
{
    /// <summary>An image that tags point to, and when the last of them was set.</summary>
    /// <param name="Digest">The image's digest.</param>
    /// <param name="Generation">Its generation, if it is there.</param>
    /// <param name="At">The moment.</param>
    public readonly record struct Tagged(Digest Digest, string Generation, DateTimeOffset At);

    private readonly ILookup<Digest, (TagRow Row, DateTimeOffset At)> _tags;

    /// <summary>Takes the rows of the tags.</summary>
    /// <param name="rows">As they were read.</param>
    public RepositoryTags(IEnumerable<TableRow> rows)
    {
        // A row of an earlier version does not say when: then it is as old as the row at most.
        _tags = rows.Select(row => (Row: TagRow.From(row), row.Timestamp))
            .ToLookup(t => t.Row.Digest, t => (t.Row, t.Row.Pushed?.At ?? t.Timestamp ?? DateTimeOffset.MaxValue));
        ByPush =
        [
            .. _tags
                .SelectMany(of => of)
                .Where(t => t.Row.Generation is not null)
                .GroupBy(t => (t.Row.Digest, Generation: t.Row.Generation!))
                .Select(of => new Tagged(of.Key.Digest, of.Key.Generation, of.Max(t => t.At)))
                .OrderByDescending(t => t.At)
                .ThenBy(t => t.Digest.ToString(), StringComparer.Ordinal),
        ];
    }

    /// <summary>The images that tags point to, those whose tags were set last first. Some may be gone.</summary>
    public IReadOnlyList<Tagged> ByPush { get; }

    /// <summary>The tags that point to an image, or wait for it.</summary>
    /// <param name="digest">Its digest.</param>
    /// <param name="generation">Its generation.</param>
    public IReadOnlyList<(string Tag, DateTimeOffset At)> Of(Digest digest, string generation) =>
        [
            .. _tags[digest]
                .Where(t => t.Row.Generation is null || t.Row.Generation == generation)
                .Select(t => (t.Row.Tag, t.At)),
        ];
}
