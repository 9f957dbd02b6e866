using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

/// <summary>What is young, by the storage service's clock: its <c>Date</c> header against its <c>Timestamp</c> and <c>Last-Modified</c>.</summary>
internal sealed record SweepAge(DateTimeOffset Now, SweepOptions Options)
{
    /// <summary>When something is old that was asked about and was too young.</summary>
    public NextDue Next { get; } = new();

    /// <summary>Asks storage what time it is.</summary>
    /// <exception cref="StorageUnavailableException">It does not say.</exception>
    public static async Task<SweepAge> ReadAsync(
        StorageAccount account,
        SweepOptions options,
        CancellationToken cancellationToken
    )
    {
        var (_, now) = await account.ImageRows.GetWithTimeAsync(
            Keys.RefusedPartition,
            JournalKeys.Version,
            cancellationToken
        );
        var date = now ?? throw new StorageUnavailableException("storage does not say what time it is");
        // It has whole seconds: so nothing is younger than now.
        return new SweepAge(date.AddSeconds(1) + options.Later, options);
    }

    /// <summary>Whether something that came, or was renewed, at this moment may still be needed by what is on its way.</summary>
    public bool IsYoung(DateTimeOffset? at, bool pushed) =>
        IsYoungerThan(at, pushed ? Options.AfterPush : Options.AfterDrop);

    /// <summary>Whether it came less than so long ago, or nobody says when.</summary>
    public bool IsYoungerThan(DateTimeOffset? at, TimeSpan grace)
    {
        if (at is not { } moment)
        {
            return true;
        }

        if (moment <= Now - grace)
        {
            return false;
        }

        Next.Add(moment + grace);
        return true;
    }
}
