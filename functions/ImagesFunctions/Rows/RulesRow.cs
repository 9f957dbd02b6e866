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

    private const string AtName = "set_at";
    private const string ByName = "set_by";

    // Decisions are given the same row again and again.
    private static readonly ConditionalWeakTable<TableRow, RulesRow> s_parsed = new();

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

        return row;
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
            return new RulesRow(
                AccountRules.Parse(row.Text("rules"), isStrict: false),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(AtName) ?? 0),
                Author.Parse(row.GetString(ByName))
            );
        }
        catch (FormatException error)
        {
            throw new InvalidOperationException($"row {row.Key} cannot be read: {error.Message}", error);
        }
    }
}
