using System.Runtime.CompilerServices;
using ImagesFunctions.Journal;
using ImagesFunctions.Policy;

namespace ImagesFunctions.Rows;

/// <summary>The rules of an account: row <c>p!rules</c> of its namespace.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="At">When they were set, by the storage service's clock, in whole milliseconds.</param>
/// <param name="By">Who has set them; null where an operator did.</param>
internal sealed record RulesRow(AccountRules Rules, DateTimeOffset At, Author? By)
{
    // A program that reads a higher number is too old to keep to the rules.
    private const long Schema = 1;

    // A commit takes two minutes at most, and then other processes do not know for a minute what it has set.
    private static readonly TimeSpan s_untilKnown = TimeSpan.FromMinutes(2) + RecentPolicies.MaxAge;

    private const string AtName = "set_at";
    private const string ByName = "set_by";
    private const string NotedName = "pulls_noted_since";

    // Decisions are given the same row again and again.
    private static readonly ConditionalWeakTable<TableRow, RulesRow> s_parsed = new();

    /// <summary>Since when pulls are to be written down without a break; null where no rule asks for that.</summary>
    public DateTimeOffset? PullsNotedSince { get; init; }

    /// <summary>From when on each pull is written down, in whichever process; null: none is.</summary>
    public DateTimeOffset? PullsFrom => PullsNotedSince + s_untilKnown;

    /// <summary>Writes the row.</summary>
    public TableRow ToRow()
    {
        var row = new TableRow(Keys.Rules)
        {
            ["schema"] = Schema,
            ["rules"] = Rules.Text,
            [AtName] = At.ToUnixTimeMilliseconds(),
        };
        if (By is not null)
        {
            row[ByName] = By.Text;
        }

        if (PullsNotedSince is { } since)
        {
            row[NotedName] = since.ToUnixTimeMilliseconds();
        }

        return row;
    }

    /// <summary>
    /// The row as a rebuild writes it: what was known of pulls is lost. Until the day is over, a process may know of one that it has
    /// written down in the table that is lost.
    /// </summary>
    /// <param name="row">The row as it was, also one of a newer version.</param>
    /// <param name="now">The moment of the rebuild.</param>
    public static TableRow Rebuilt(TableRow row, DateTimeOffset now)
    {
        if (row.GetInt64(NotedName) is null)
        {
            return row;
        }

        var rebuilt = new TableRow(row.Key);
        foreach (var (name, value) in row.Values)
        {
            rebuilt[name] = value;
        }

        rebuilt[NotedName] = PulledRow.EndOf(PulledRow.DayOf(now)).ToUnixTimeMilliseconds();
        return rebuilt;
    }

    /// <summary>Reads a row; null where there is none.</summary>
    /// <exception cref="InvalidOperationException">The row is of a newer version, whose rules this one does not know.</exception>
    public static RulesRow? FromOrNull(TableRow? row) => row is null ? null : s_parsed.GetValue(row, From);

    private static RulesRow From(TableRow row)
    {
        if (row.GetInt64("schema") is not (null or <= Schema))
        {
            throw new InvalidOperationException($"row {row.Key} is of a newer version: use a newer program");
        }

        try
        {
            var rules = AccountRules.Parse(row.Text("rules"), isStrict: false);
            var at = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(AtName) ?? 0);
            var noted = row.GetInt64(NotedName) is { } since ? DateTimeOffset.FromUnixTimeMilliseconds(since) : at;
            return new RulesRow(rules, at, Author.Parse(row.GetString(ByName)))
            {
                PullsNotedSince = rules.NotesPulls ? noted : null,
            };
        }
        catch (FormatException error)
        {
            throw new InvalidOperationException($"row {row.Key} cannot be read: {error.Message}", error);
        }
    }
}
