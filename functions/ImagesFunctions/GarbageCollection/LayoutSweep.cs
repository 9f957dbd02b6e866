namespace ImagesFunctions.GarbageCollection;

/// <summary>Reads the rows of <c>index.json</c> files, and removes those whose file is gone.</summary>
internal sealed class LayoutSweep(SweepRun run, Survey survey, RowGarbage garbage)
{
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('j').WithCancellation(cancellationToken))
        {
            if (row.GetString("app") is { } app && row.GetString("etag") is { } etag)
            {
                survey.Layouts[app] = etag;
            }
        }
    }

    /// <summary>Looks at those of which the list of the container has said nothing.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var app in survey.Layouts.Keys)
        {
            if (await run.TryAsync(() => garbage.RemoveLayoutAsync(run.RepositoryOf(app), cancellationToken)) > 0)
            {
                run.Counts.Add(SweepKind.Layouts);
            }
        }
    }
}
