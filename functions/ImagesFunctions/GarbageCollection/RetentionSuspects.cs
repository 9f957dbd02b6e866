using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>What a search for old images reads of an image's row.</summary>
/// <param name="Head">Which image it is, and its state.</param>
/// <param name="Committed">When it was committed; null in rows of an earlier version.</param>
/// <param name="Subject">What it refers to; or null.</param>
internal sealed record RetentionHead(ImageHead Head, DateTimeOffset? Committed, Digest? Subject)
{
    public string App => Head.App;

    public Digest Digest => Head.Digest;

    public bool IsLive => Head.State is ImageState.Complete or ImageState.Hidden;

    public static RetentionHead From(TableRow row) =>
        new(
            ImageHead.From(row),
            row.GetInt64("committed") is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            row.GetString("subject") is { } subject ? ImageRow.Parse(subject) : null
        );
}

/// <summary>
/// The images of one repository that rules may let go, as rows said a moment ago: so that a decision is asked for about few others. What
/// it leaves out because of rows that have changed since is found by the next sweep.
/// </summary>
internal sealed class RetentionSuspects
{
    private readonly RetentionRules _rules;
    private readonly RepositoryRetention _retention;
    private readonly List<RetentionHead> _complete;
    private readonly HashSet<Digest> _live;
    private readonly RepositoryTags _tags;
    private readonly HashSet<Digest> _newest;
    private readonly ILookup<Digest, Digest> _needing;
    private readonly Dictionary<Digest, PulledRow> _pulled;

    private RetentionSuspects(
        RetentionRules rules,
        RepositoryRetention retention,
        List<RetentionHead> heads,
        RepositoryTags tags,
        ILookup<Digest, Digest> needing,
        Dictionary<Digest, PulledRow> pulled
    )
    {
        (_rules, _retention, _tags, _needing, _pulled) = (rules, retention, tags, needing, pulled);
        _complete = [.. heads.Where(head => head.Head.State == ImageState.Complete)];
        _live = [.. heads.Where(head => head.IsLive).Select(head => head.Digest)];
        var generations = _complete.ToDictionary(head => head.Digest, head => head.Head.Generation);
        _newest =
        [
            .. tags
                .ByPush.Where(t => generations.GetValueOrDefault(t.Digest) == t.Generation)
                .Take(retention.Newest)
                .Select(t => t.Digest),
        ];
    }

    /// <summary>Those that have gone since.</summary>
    public HashSet<Digest> Gone { get; } = [];

    /// <summary>Reads what keeps images of a repository.</summary>
    /// <param name="run">The sweep.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="retention">What they say of the repository.</param>
    /// <param name="heads">All its images; at least one.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public static async Task<RetentionSuspects> ReadAsync(
        SweepRun run,
        RetentionRules rules,
        RepositoryRetention retention,
        List<RetentionHead> heads,
        CancellationToken cancellationToken
    )
    {
        var app = heads[0].App;
        var tags = await run.StreamAsync(Keys.OfApp('t', app)).ToListAsync(cancellationToken);
        var live = heads.Where(head => head.IsLive).Select(head => head.Digest).ToHashSet();
        var needing = new List<(Digest Needed, Digest By)>();
        await foreach (
            var row in run.StreamAsync(Keys.OfApp('n', app), ["app", "needed", "by"])
                .WithCancellation(cancellationToken)
        )
        {
            var need = DependencyRow.From(row);
            if (need.By.Digest is { } by && live.Contains(by) && live.Contains(need.Needed))
            {
                needing.Add((need.Needed, by));
            }
        }

        return new RetentionSuspects(
            rules,
            retention,
            heads,
            new RepositoryTags(tags),
            needing.ToLookup(n => n.Needed, n => n.By),
            retention.NotPulled is not null && rules.PullsFrom is not null
                ? await run.StreamAsync(Keys.OfApp('l', app))
                    .Select(PulledRow.From)
                    .ToDictionaryAsync(pulled => pulled.Image, cancellationToken: cancellationToken)
                : []
        );
    }

    /// <summary>Those to decide about now.</summary>
    /// <param name="age">What is young; what only its age keeps is noted there.</param>
    public IReadOnlyList<Digest> Now(SweepAge age) =>
        [.. _complete.Where(head => IsSuspect(head, age)).Select(head => head.Digest)];

    private bool IsSuspect(RetentionHead head, SweepAge age)
    {
        if (Gone.Contains(head.Digest) || _newest.Contains(head.Digest))
        {
            return false;
        }

        var tags = _tags.Of(head.Digest, head.Head.Generation);
        return _retention.Limits(tags.Count > 0) is { Count: > 0 } limits
            && !tags.Any(t => _retention.Keeps(t.Tag) || _rules.Rules.ImmutableBy(head.App, t.Tag) is not null)
            && !(tags.Count == 0 && head.Subject is { } subject && IsThere(subject))
            && !_needing[head.Digest].Any(IsThere)
            && limits.Any(limit =>
                _rules.IsOld(
                    age,
                    limit,
                    head.Committed ?? DateTimeOffset.MinValue,
                    _pulled.GetValueOrDefault(head.Digest)
                )
            );
    }

    private bool IsThere(Digest digest) => _live.Contains(digest) && !Gone.Contains(digest);
}
