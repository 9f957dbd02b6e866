using ImagesFunctions.Catalog;
using ImagesFunctions.Repositories;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Sweeps one namespace, a phase after the other: they read its rows and the list of its blobs once or twice, each a page at
/// a time, and hand whatever looks like garbage to <see cref="Garbage"/>.
/// </summary>
internal sealed class NamespaceSweep(
    SweepRun run,
    ImageRows imageRows,
    Garbage garbage,
    CatalogJournal catalog,
    Quotas quotas
)
{
    private readonly Survey _survey = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var indexes = new IndexSweep(run, _survey, imageRows, garbage);
        var layouts = new LayoutSweep(run, _survey, garbage.Rows);
        var dependencies = new DependencySweep(run, _survey, garbage.Dependencies);
        var blobs = new BlobSweep(run, _survey, garbage.Blobs);

        await indexes.ReadImagesAsync(cancellationToken);
        foreach (var image in await new RetentionSweep(run, garbage.Retention).RunAsync(cancellationToken))
        {
            _survey.Forget(image.Repository.App, image.Digest);
            if (image.IsIndex)
            {
                // What it named may go with it.
                _survey.Indexes.Add((image.Repository, image.Digest));
            }
        }

        await new TagSweep(run, _survey, garbage.Rows).RunAsync(cancellationToken);
        await blobs.ReadRowsAsync(cancellationToken);
        await layouts.ReadAsync(cancellationToken);
        await new RefusalSweep(run, _survey).RunAsync(cancellationToken);
        await indexes.SweepChildrenAsync(cancellationToken);
        await new ReferrerSweep(run, _survey, garbage.Rows).RunAsync(cancellationToken);
        await new BootSweep(run, _survey).RunAsync(cancellationToken);
        await new PulledSweep(run, _survey).RunAsync(cancellationToken);
        await dependencies.ReadAsync(cancellationToken);
        await blobs.SweepStoredAsync(cancellationToken);
        await blobs.FindGoneAsync(cancellationToken);
        await layouts.SweepAsync(cancellationToken);
        await dependencies.SweepAsync(cancellationToken);
        await dependencies.SweepNamedAsync(cancellationToken);
        await indexes.SweepAsync(cancellationToken);
        await new UsageSweep(run, _survey, quotas).RunAsync(cancellationToken);
        await new FactsSweep(run).RunAsync(cancellationToken);
        await new LogTrim(run, catalog).RunAsync(cancellationToken);
    }
}
