using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>The image <c>old</c>, alone in a repository, and what rules of retention say of it.</summary>
internal static class OldImage
{
    // It decides from rows alone: none of the others is asked.
    private static readonly RetentionGarbage s_garbage = new(
        null!,
        new BlobGarbage(null!, null!, null!, Age),
        null!,
        Age
    );

    /// <summary>The collector's clock.</summary>
    public static DateTimeOffset Now => DateTimeOffset.UnixEpoch.AddYears(1);

    public static DateTimeOffset Old => Now.AddDays(-91);

    public static DateTimeOffset Weeks => Now.AddDays(-40);

    public static DateTimeOffset Young => Now.AddDays(-6);

    private static SweepAge Age => new(Now, new SweepOptions());

    /// <summary>What a collection changes, and what it has read for that.</summary>
    public static async Task<(string[] Changes, DecisionView View)> DecideAsync(
        string rules,
        (TableRow Row, DateTimeOffset At)[] rows,
        RetentionGarbage.Assumed? assumed = null,
        RetentionGarbage? garbage = null
    )
    {
        var set = new RulesRow(AccountRules.Parse(rules), Old, By: null).ToRow();
        var view = ViewOf([
            (set, Old),
            (Blob("old").ToRow(), Old),
            (Image("old").ToRow(), Old),
            (Blob("signature").ToRow(), Old),
            .. rows,
        ]);

        var found = await (garbage ?? s_garbage).FindAsync(
            view,
            Web,
            [D("old")],
            assumed ?? RetentionGarbage.Assumed.Nothing,
            Stop
        );

        return (Texts(found.SelectMany(f => f.Changes)), view);
    }

    public static (TableRow, DateTimeOffset) Row(TableRow row, DateTimeOffset at) => (row, at);

    public static (TableRow, DateTimeOffset) Row((TableRow Row, DateTimeOffset At) row) => row;

    public static (TableRow, DateTimeOffset) Set(string tag, string image, DateTimeOffset at) =>
        ((Tag(tag, image) with { Pushed = new TagPush(at, By: null) }).ToRow(), Old);

    public static (TableRow, DateTimeOffset)[] Signed(DateTimeOffset at) =>
        [
            (Image("signature", subject: "old").ToRow(), Old),
            (Blob("signature").ToRow(), at),
            (Referrer("old", "signature").ToRow(), Old),
        ];

    /// <summary>Rules with one more.</summary>
    public static string Both(string rules, string more) => $"{rules[..^2]}{(more[0] == ']' ? "" : ",")}{more}]}}";
}
