using ImagesFunctions.Journal;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>The rules that a collection keeps to, or those of a trial, and since when pulls are known.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="PullsFrom">From when on each pull is written down; null: none is.</param>
internal sealed record RetentionRules(AccountRules Rules, DateTimeOffset? PullsFrom)
{
    /// <summary>Reads them.</summary>
    /// <param name="assumed">The rules of a trial; null: those that are set.</param>
    /// <param name="set">Reads the row of those that are set. Which pulls are known follows from it in a trial, too.</param>
    public static async Task<RetentionRules> ReadAsync(AccountRules? assumed, Func<Task<TableRow?>> set)
    {
        if (assumed is { NotesPulls: false })
        {
            return new RetentionRules(assumed, PullsFrom: null);
        }

        var row = RulesRow.FromOrNull(await set());
        return new RetentionRules(assumed ?? row?.Rules ?? AccountRules.None, row?.PullsFrom);
    }

    /// <summary>Whether an image is old enough to go.</summary>
    /// <param name="age">What is young; what only its age keeps is noted there.</param>
    /// <param name="limit">The age.</param>
    /// <param name="pushed">When it was pushed, or got a tag.</param>
    /// <param name="pulled">When it was pulled last; null: since <see cref="PullsFrom"/> it was not.</param>
    public bool IsOld(SweepAge age, AgeLimit limit, DateTimeOffset? pushed, PulledRow? pulled) =>
        !age.IsYoungerThan(pushed, limit.Age)
        && (
            !limit.CountsPulls
            || (
                PullsFrom is { } from
                && !age.IsYoungerThan(from, limit.Age)
                && (pulled is null || !age.IsYoungerThan(pulled.Until, limit.Age))
            )
        );
}
