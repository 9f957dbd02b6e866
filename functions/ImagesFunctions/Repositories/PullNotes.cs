using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Writes down on which day an image was pulled last, where a rule of its account asks for that. It is a commit of the namespace's
/// order: so whoever decides at the same time that nobody has pulled the image decides again.
/// </summary>
internal sealed class PullNotes(RowStore rowStore, StorageClock clock)
{
    // An image has two or three hundred bytes here.
    private const int MaxNoted = 20_000;

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
        // At the same time: below, each is waited for.
        await view.GetAllAsync([Keys.Image(pulled.App, pulled.Image), pulled.Key], cancellationToken);
        if (await view.ImageAsync(pulled.App, pulled.Image, cancellationToken) is not { State: ImageState.Complete })
        {
            return Decision.Nothing(false);
        }

        var before = PulledRow.FromOrNull(await view.GetAsync(pulled.Key, cancellationToken));
        return before?.Day >= pulled.Day
            ? Decision.Nothing(true)
            : Decision.Of(true, [new Change(pulled.Key, pulled.ToRow())]);
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
