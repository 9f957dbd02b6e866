using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary>Checks of the sweeper: when it was last at work, and what version of the program that was.</summary>
/// <param name="examined">What is looked at.</param>
/// <param name="settings">The app settings; null, or failed: not known.</param>
internal sealed class SweepChecks(Examined examined, Task<IReadOnlyDictionary<string, string>>? settings)
{
    private const string Sweep = "last sweep";
    private const string App = "version of the app";

    // A pass comes each hour, and may take one.
    private static readonly TimeSpan s_passes = TimeSpan.FromHours(3);

    private static readonly TimeSpan s_walk = TimeSpan.FromHours(24);

    /// <summary>Looks.</summary>
    public Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken) =>
        Look.AtAsync(
            Sweep,
            examined.Deadline,
            async stop =>
            {
                var signs = await examined.Images.SweepSignsAsync(stop);
                return
                [
                    OfTime(signs, await WalkAsync(stop), examined.Mends),
                    OfVersion(signs.Program, ProgramVersion.Text),
                ];
            },
            cancellationToken
        );

    /// <summary>What the signs of the sweeper say of its time.</summary>
    /// <param name="signs">The signs.</param>
    /// <param name="walk">Within what time it looks at everything; null: it does not.</param>
    /// <param name="mends">The commands.</param>
    internal static Check OfTime(SweepSigns signs, TimeSpan? walk, Mends mends)
    {
        var found = new Findings();
        var walked = signs.Walked is { } at ? $"the walk went on {Ago(signs.Now - at)}" : "no walk yet";
        if (signs.Due is { } due && signs.Now - due > s_passes)
        {
            found.Fail($"{signs.Namespace} was to be swept {Ago(signs.Now - due)}", mends.Restart);
        }

        if (walk is { } within && signs.Walked is { } last && signs.Now - last > within + s_passes)
        {
            found.Fail($"{walked}, and has to within {within.TotalHours:0} hours", mends.Restart);
        }
        else if (walk is not null && signs.Walked is null)
        {
            found.Warn(
                "no sweep yet: the first comes within an hour of a deployment",
                $"wait an hour; then {mends.Restart}"
            );
        }

        return found.ToCheck(Sweep, $"{walked}, and nothing is late");
    }

    /// <summary>What it means that the app is of another version than this program.</summary>
    internal static Check OfVersion(string? app, string tool) =>
        app is null ? new Check(App, Check.Unknown, "no sweep has said it yet: one within an hour will")
        : app == tool ? new Check(App, Check.Ok, app)
        : new Check(App, Check.Warning, $"its last sweep was by {app}, and this program is {tool}", Mends.Deploy);

    private static string Ago(TimeSpan time) =>
        time.TotalHours >= 1 ? $"{time.TotalHours:0} hours ago" : $"{Math.Max(0, time.TotalMinutes):0} minutes ago";

    private async Task<TimeSpan?> WalkAsync(CancellationToken cancellationToken)
    {
        try
        {
            var known = settings is null ? null : await settings.WaitAsync(examined.Deadline / 2, cancellationToken);
            return known?.GetValueOrDefault(Expected.WalkRequests) == "0" ? null
                : Duration.TryParse(known?.GetValueOrDefault(Expected.WalkTime), out var time) ? time
                : s_walk;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The check of the settings says why.
            return s_walk;
        }
    }
}
