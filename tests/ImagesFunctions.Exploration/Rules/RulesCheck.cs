using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Rules;

/// <summary>What must hold of each commit where the account has rules.</summary>
/// <param name="world">Is told what does not hold.</param>
/// <param name="storage">The table.</param>
internal sealed class RulesCheck(World world, ModelStorage storage)
{
    /// <summary>The tag that is pushed.</summary>
    public const string Tag = "latest";

    // By key of a row: when it was written last.
    private readonly Dictionary<string, TimeSpan> _written = new(StringComparer.Ordinal);

    /// <summary>Takes in what the table was told.</summary>
    public void Hear(TableCall call)
    {
        if (!call.Result.IsDone || call.Changes.Count == 0)
        {
            return;
        }

        if (call.Changes.Any(change => change.Key == JournalKeys.Version))
        {
            var (before, after) = (storage.Truth.After(storage.Truth.Seq - 1), storage.Truth.After(storage.Truth.Seq));
            DemandKept(before, after);
            DemandOld(before, after);
        }

        foreach (var change in call.Changes)
        {
            _written[change.Key] = world.Now;
        }
    }

    // What the tag points to where a rule keeps it: by the rules as the commits before this one have left them.
    private void DemandKept(SortedDictionary<string, TableRow> before, SortedDictionary<string, TableRow> after)
    {
        if (
            RulesOf(before).ImmutableBy(Goods.App, Tag) is not null
            && TaggedIn(before) is { } image
            && TaggedIn(after) != image
        )
        {
            world.Fail("a rule keeps a tag as it is, and a commit has changed it");
        }
    }

    // What goes here goes because of a rule.
    private void DemandOld(SortedDictionary<string, TableRow> before, SortedDictionary<string, TableRow> after)
    {
        foreach (var image in Goods.Images.Where(i => IsComplete(before, i) && !IsComplete(after, i)))
        {
            var isTagged = TaggedIn(before) == image;
            if (RulesOf(before).RetentionOf(Goods.App)?.Limits(isTagged) is not { Count: > 0 } limits)
            {
                world.Fail("an image goes, and no rule lets it go");
                return;
            }

            string[] keys =
            [
                Keys.Blob(Goods.App, image),
                .. isTagged ? [Keys.Tag(Goods.App, Tag)] : Array.Empty<string>(),
            ];
            var old = limits
                .Where(l => !keys.Any(key => _written.TryGetValue(key, out var at) && world.Now - at < l.Age))
                .ToList();
            if (old.Count == 0)
            {
                world.Fail("an image goes that was pushed a moment ago");
            }
            // All of it happens on one day.
            else if (before.ContainsKey(Keys.Pulled(Goods.App, image)) && old.TrueForAll(l => l.CountsPulls))
            {
                world.Fail("an image goes that was pulled on the same day");
            }
        }
    }

    private static AccountRules RulesOf(SortedDictionary<string, TableRow> rows) =>
        RulesRow.FromOrNull(rows.GetValueOrDefault(Keys.Rules))?.Rules ?? AccountRules.None;

    private static bool IsComplete(SortedDictionary<string, TableRow> rows, Digest image) =>
        rows.TryGetValue(Keys.Image(Goods.App, image), out var row) && ImageRow.From(row).State == ImageState.Complete;

    private static Digest? TaggedIn(SortedDictionary<string, TableRow> rows) =>
        rows.TryGetValue(Keys.Tag(Goods.App, Tag), out var row)
        && TagRow.From(row) is var tag
        && IsComplete(rows, tag.Digest)
        && ImageRow.From(rows[Keys.Image(Goods.App, tag.Digest)]).Generation == tag.Generation
            ? tag.Digest
            : null;
}
