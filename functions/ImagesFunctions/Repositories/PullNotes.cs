using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Writes down on which day an image was pulled last, where a rule of its account asks for that. It is a commit of the namespace's
/// order: so whoever decides at the same time that nobody has pulled the image decides again. A pull of what an index names is one of the
/// index, which keeps it.
/// </summary>
internal sealed class PullNotes(RowStore rowStore, StorageClock clock)
{
    // An image has two or three hundred bytes here.
    private const int MaxNoted = 20_000;

    // The image, and the indexes that name it: each of them that stays keeps the image.
    private const int MaxRows = 20;

    // What this process knows to be written.
    private readonly ConcurrentDictionary<(string Namespace, string Key), DateOnly> _noted = new();

    /// <summary>Called before a pull is answered. It costs requests where there is such a rule, for the first pull of an image on a day.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="image">The digest of what is pulled.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>False where the image is not there any more.</returns>
    public async Task<bool> NoteAsync(Repository repository, Digest image, CancellationToken cancellationToken)
    {
        var ns = repository.Namespace;
        if ((await rowStore.Recent.GetAsync(ns, cancellationToken)).Rules is not { Rules.NotesPulls: true })
        {
            return true;
        }

        var pulled = new PulledRow(repository.App, image, PulledRow.DayOf(clock.UtcNow));
        if (_noted.TryGetValue((ns, pulled.Key), out var day) && day == pulled.Day)
        {
            return true;
        }

        if (await TryNoteAsync(ns, pulled, cancellationToken) is not { } isThere)
        {
            return true;
        }

        if (isThere)
        {
            if (_noted.Count >= MaxNoted)
            {
                _noted.Clear();
            }

            _noted[(ns, pulled.Key)] = pulled.Day;
        }

        return isThere;
    }

    /// <summary>The day (UTC) on which an image was pulled last; null where that is not known, and where pulls are not written down.</summary>
    public static async Task<DateOnly?> LastAsync(
        RowStore rowStore,
        Repository repository,
        Digest image,
        CancellationToken cancellationToken
    ) =>
        (await rowStore.Recent.GetAsync(repository.Namespace, cancellationToken)).Rules is { Rules.NotesPulls: true }
        && await rowStore.GetAsync(repository.Namespace, Keys.Pulled(repository.App, image), cancellationToken)
            is { } row
            ? PulledRow.From(row).Day
            : null;

    /// <summary>Decides what <see cref="NoteAsync"/> changes.</summary>
    internal static async Task<Decision<bool>> DecideAsync(
        DecisionView view,
        PulledRow pulled,
        CancellationToken cancellationToken
    )
    {
        var app = pulled.App;
        // At the same time: below, each is waited for.
        await Task.WhenAll(
            view.GetAllAsync([Keys.Image(app, pulled.Image), pulled.Key], cancellationToken),
            view.RangeAsync(Keys.Dependencies(app, pulled.Image), cancellationToken)
        );
        if (await view.ImageAsync(app, pulled.Image, cancellationToken) is not { State: ImageState.Complete })
        {
            return Decision.Nothing(false);
        }

        var (all, changes) = (new List<PulledRow> { pulled }, new List<Change>());
        for (var i = 0; i < all.Count; i++)
        {
            var row = all[i];
            if (
                PulledRow.FromOrNull(await view.GetAsync(row.Key, cancellationToken)) is not { } before
                || before.Day < row.Day
            )
            {
                changes.Add(new Change(row.Key, row.ToRow()));
            }

            foreach (var need in await view.RangeAsync(Keys.Dependencies(app, row.Image), cancellationToken))
            {
                if (
                    all.Count < MaxRows
                    && DependencyRow.From(need).By.Digest is { } index
                    && all.TrueForAll(r => r.Image != index)
                    && await view.ImageAsync(app, index, cancellationToken) is not null
                )
                {
                    all.Add(row with { Image = index });
                }
            }
        }

        return Decision.Of(true, changes);
    }

    // Null: storage lets nothing be written. The image is there all the same, and no sweep can remove anything either.
    private async Task<bool?> TryNoteAsync(string @namespace, PulledRow pulled, CancellationToken cancellationToken)
    {
        try
        {
            return await rowStore.CommitAsync(
                @namespace,
                (view, stop) => DecideAsync(view, pulled, stop),
                cancellationToken
            );
        }
        catch (Exception error) when (StorageErrors.IsDenied(error))
        {
            return null;
        }
    }
}
