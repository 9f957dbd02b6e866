using System.Text;
using ImagesFunctions.Policy;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Rules of accounts: what was read and is written again reads the same; and of what is refused, an older version that reads it all the
/// same lets nothing go.
/// </summary>
internal static class RulesTarget
{
    public static void Check(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        var strict = Read(text, isStrict: true);
        var known = Read(text, isStrict: false);
        if (strict is null)
        {
            Holds.True(
                known is not { Removes: true } || IsRefusedForOthers(known),
                "what is refused lets something go"
            );
            return;
        }

        Holds.Same(strict.Text, Read(strict.Text, isStrict: true)?.Text, "the rules, written and read again");
        Holds.Same(strict.Text, known?.Text, "the rules as a row has them");
        foreach (var app in (string[])["web", "team/web"])
        {
            var retention = strict.RetentionOf(app);
            Holds.True(retention is null || retention.Earliest > TimeSpan.Zero, "something goes at once");
            Holds.True(retention is null || retention.Newest >= 0, "fewer than none stay");
        }
    }

    // Because of a member beside the retention, whose rules are whole.
    private static bool IsRefusedForOthers(AccountRules known) =>
        Read((AccountRules.None with { Retention = known.Retention }).Text, isStrict: true) is not null;

    private static AccountRules? Read(string text, bool isStrict)
    {
        try
        {
            return AccountRules.Parse(text, isStrict);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
