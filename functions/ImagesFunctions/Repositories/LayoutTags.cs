using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>How much of an <c>index.json</c> a commit has applied.</summary>
internal enum LayoutApplied
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>All but for the rows that say what it names, which do not fit.</summary>
    WithoutNaming,

    /// <summary>Some of its tags.</summary>
    Partly,

    /// <summary>This version of the file was applied before.</summary>
    Before,

    /// <summary>Nothing: it is another file now.</summary>
    FileChanged,
}

/// <summary>The result of one commit that applies an <c>index.json</c>.</summary>
/// <param name="Applied">How much of it is applied.</param>
/// <param name="Touched">The tags that are up to date with it.</param>
internal sealed record LayoutStep(LayoutApplied Applied, IReadOnlyList<string> Touched)
{
    /// <summary>The tags that rules keep as they are, and why, those of earlier commits included.</summary>
    public SortedDictionary<string, string> Left { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What rules have left undone of a file that is applied, as sentences; or null.</summary>
    public string? Problem { get; init; }
}

/// <summary>What earlier commits of the same application have done.</summary>
/// <param name="Done">The tags that they have set or left.</param>
/// <param name="Left">The tags that they have left, and why.</param>
internal sealed record LayoutProgress(HashSet<string> Done, SortedDictionary<string, string> Left);

/// <summary>The decisions about the tags of an <c>index.json</c>: they read rows and return changes, and have no other effect.</summary>
internal static class LayoutTags
{
    // A waiting tag takes two rows; one row is left for the ETag.
    private const int MaxTagsACommit = 48;

    /// <summary>The tags of the file in the place of those that are there: all, or as many as a commit has room for.</summary>
    public static async Task<Decision<LayoutStep>> ApplyAsync(
        DecisionView view,
        LayoutIndexFile file,
        LayoutProgress progress,
        Dictionary<string, TagRow> current,
        CancellationToken cancellationToken
    )
    {
        var app = file.Path.Repository.App;
        var left = new SortedDictionary<string, string>(progress.Left, StringComparer.Ordinal);
        var changes = await RemovedAsync(view, file, current, left, cancellationToken);
        if (changes.Count > 2 * MaxTagsACommit)
        {
            return Decision.Of(
                new LayoutStep(LayoutApplied.Partly, []) { Left = left },
                changes[..(2 * MaxTagsACommit)]
            );
        }

        var touched = new List<string>();
        foreach (var (tag, digest) in file.Tags.Where(t => !progress.Done.Contains(t.Key)))
        {
            if (changes.Count >= (2 * MaxTagsACommit) - 1)
            {
                return Decision.Of(new LayoutStep(LayoutApplied.Partly, touched) { Left = left }, changes);
            }

            touched.Add(tag);
            if (await view.DenialAsync(app, tag, digest, cancellationToken) is { } denial)
            {
                left[tag] = denial;
                continue;
            }

            var wanted = new TagRow(app, tag, digest, null, FromLayout: true)
            {
                Pushed = new TagPush(file.At, By: null),
            };
            changes.AddRange(await SetTagAsync(view, wanted, current.GetValueOrDefault(tag), cancellationToken));
        }

        return Whole(file, touched, changes, left);
    }

    // Tags of an earlier file that this one does not name, but for those that rules keep.
    private static async Task<List<Change>> RemovedAsync(
        DecisionView view,
        LayoutIndexFile file,
        Dictionary<string, TagRow> current,
        SortedDictionary<string, string> left,
        CancellationToken cancellationToken
    )
    {
        var app = file.Path.Repository.App;
        var changes = new List<Change>();
        foreach (var old in current.Values.Where(t => t.FromLayout && !file.Tags.ContainsKey(t.Tag)))
        {
            if (await view.DenialAsync(app, old.Tag, to: null, cancellationToken) is { } denial)
            {
                left[old.Tag] = denial;
            }
            else
            {
                changes.Add(new Change(old.Key, null));
            }
        }

        return changes;
    }

    /// <summary>What a file that was applied before changes.</summary>
    public static Decision<LayoutStep> Before(LayoutRow applied, LayoutIndexFile file)
    {
        var step = new LayoutStep(LayoutApplied.Before, []) { Problem = applied.Problem };
        var taken = LayoutRow.Of(file) with { Problem = applied.Problem };
        return applied.IsTaken ? Decision.Nothing(step) : Decision.Of(step, [taken.ToChange()]);
    }

    // With the rows that say what the file names, where those fit.
    private static Decision<LayoutStep> Whole(
        LayoutIndexFile file,
        IReadOnlyList<string> touched,
        List<Change> changes,
        SortedDictionary<string, string> left
    )
    {
        var problem = left.Count == 0 ? null : string.Join(' ', left.Values);
        var naming = Dependencies.Changes(file.Naming()).ToList();
        var rides = changes.Count + naming.Count < Change.MaxRows;
        return Decision.Of(
            new LayoutStep(rides ? LayoutApplied.Whole : LayoutApplied.WithoutNaming, touched) { Problem = problem },
            [.. changes, .. rides ? naming : [], (LayoutRow.Of(file) with { Problem = problem }).ToChange()]
        );
    }

    private static async Task<List<Change>> SetTagAsync(
        DecisionView view,
        TagRow wanted,
        TagRow? current,
        CancellationToken cancellationToken
    )
    {
        var image = await view.ImageAsync(wanted.App, wanted.Digest, cancellationToken);
        wanted = wanted with { Generation = image?.Generation };
        // One that is set keeps its time.
        if (current is not null && current with { Pushed = wanted.Pushed } == wanted)
        {
            return [];
        }

        List<Change> changes = [new Change(wanted.Key, wanted.ToRow())];
        if (wanted.Generation is null)
        {
            // The commit of its image finds the tag by this row, and sets it.
            var dependency = new DependencyRow(wanted.App, wanted.Digest, Dependent.Tag(wanted.Tag), null);
            changes.Add(new Change(dependency.Key, dependency.ToRow()));
        }

        return changes;
    }
}
