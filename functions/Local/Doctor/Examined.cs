using Azure.Storage.Queues;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>What the doctor looks at.</summary>
/// <param name="Storage">The account of images and rows.</param>
/// <param name="Images">The service on that account.</param>
/// <param name="Mends">What mends what it finds.</param>
internal sealed record Examined(StorageAccount Storage, ImagesApp Images, Mends Mends)
{
    /// <summary>Whether it is an emulator, which has no queue, no events and no app in Azure.</summary>
    public bool IsEmulator { get; init; }

    /// <summary>A command that makes what an emulator has not yet.</summary>
    public string AnyCommand { get; init; } = $"{TypedCommand.Text} ls";

    /// <summary>The poison queue; null where there is none to look at.</summary>
    public QueueClient? Poison { get; init; }

    /// <summary>Azure Resource Manager; null where it is not asked.</summary>
    public Management? Management { get; init; }

    /// <summary>The names of the installation; null where they are not known.</summary>
    public Installation? Installation { get; init; }

    /// <summary>This machine's clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How long one look may take.</summary>
    public TimeSpan Deadline { get; init; } = Look.Deadline;

    /// <summary>As <see cref="Look.AtAsync"/>, with this deadline and one check.</summary>
    public async Task<Check> AtAsync(
        string name,
        Func<CancellationToken, Task<Check>> look,
        CancellationToken cancellationToken,
        string? role = null
    ) =>
        (
            await Look.AtAsync(
                name,
                Deadline,
                async stop => [await look(stop)],
                cancellationToken,
                role is null ? null : error => Denied(name, error, role)
            )
        )[0];

    /// <summary>A check that has nothing to look at, because a container or table is missing, which another one says.</summary>
    public Check NothingThere(string name) =>
        new(
            name,
            IsEmulator ? Check.Warning : Check.Unknown,
            "there is nothing to try it on: see what is missing above"
        );

    private Check Denied(string name, Azure.RequestFailedException error, string role)
    {
        var (detail, mend) = Mends.OfDenied(error.ErrorCode, role);
        return new Check(name, Check.Failed, detail, mend);
    }
}
