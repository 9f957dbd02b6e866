using ImagesFunctions.Repositories;
using ImagesFunctions.Settings;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.GarbageCollection;

/// <summary>How long the sweeper leaves things alone. All times are by the storage service's clock.</summary>
public sealed record SweepOptions
{
    /// <summary>The setting of <see cref="AfterPush"/>, a duration like <c>24h</c>.</summary>
    public const string AfterPushSetting = "SweepAfterPush";

    /// <summary>The setting of <see cref="AfterDrop"/>, a duration like <c>30d</c>.</summary>
    public const string AfterDropSetting = "SweepAfterDrop";

    /// <summary>The setting of <see cref="WalkTime"/>, a duration like <c>24h</c>.</summary>
    public const string WalkTimeSetting = "SweepWalk";

    /// <summary>The setting of <see cref="WalkRequests"/>.</summary>
    public const string WalkRequestsSetting = "SweepWalkRequests";

    private const int MaxWalkRequests = 10_000_000;

    /// <summary>
    /// How long a pushed blob that nothing needs is kept, after it came or was promised anew. A push that takes longer than half
    /// of it may have to send a blob again.
    /// </summary>
    public TimeSpan AfterPush { get; init; } = TimeSpan.FromHours(24);

    /// <summary>As <see cref="AfterPush"/>, for what was dropped into the container: its rest may come days later.</summary>
    public TimeSpan AfterDrop { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long an upload session lives without a new chunk.</summary>
    public TimeSpan AfterChunk { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the log of a namespace is kept: a reader that goes on from an older moment scans the rows.</summary>
    public TimeSpan KeepLog { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long the event of a blob may take before it counts as lost.</summary>
    public TimeSpan EventTakes { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Within what time each namespace is swept whether a note tells so or not.</summary>
    public TimeSpan WalkTime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The most requests to storage that one pass spends on that. What one namespace takes beyond it the next passes save. 0: none.</summary>
    public int WalkRequests { get; init; } = 10_000;

    /// <summary>For tests, which cannot wait: sweeps as if it were so much later.</summary>
    internal TimeSpan Later { get; init; }

    /// <summary>How long a blob that nothing needs is kept.</summary>
    internal BlobGrace Grace => new(AfterPush, AfterDrop, Later);

    /// <summary>Reads the settings; what is not set is as above.</summary>
    /// <exception cref="InvalidSettingException">A setting is no duration; the message names it.</exception>
    public static SweepOptions From(IConfiguration configuration)
    {
        var standard = new SweepOptions();
        return standard with
        {
            AfterPush = Setting.Time(configuration, AfterPushSetting, standard.AfterPush),
            AfterDrop = Setting.Time(configuration, AfterDropSetting, standard.AfterDrop),
            WalkTime = Setting.Time(configuration, WalkTimeSetting, standard.WalkTime),
            WalkRequests = Setting.Number(configuration, WalkRequestsSetting, standard.WalkRequests, MaxWalkRequests),
        };
    }
}
