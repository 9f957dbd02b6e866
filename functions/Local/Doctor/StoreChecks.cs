using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

namespace ImagesFunctions.Local;

/// <summary>Checks of a storage account: that it answers, what it has, what this identity may do there, and its clock.</summary>
internal static class StoreChecks
{
    private const string Roles =
        "your identity needs the roles Storage Blob Data Contributor and Storage Table Data Contributor on the account";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    // Storage refuses requests that are signed a quarter of an hour away from its own clock.
    private static readonly TimeSpan s_clockFails = TimeSpan.FromMinutes(14);
    private static readonly TimeSpan s_clockWarns = TimeSpan.FromMinutes(1);

    /// <summary>Looks; it writes one blob and one row, and removes them.</summary>
    public static async Task<IReadOnlyList<Check>> RunAsync(LocalStore store, CancellationToken cancellationToken)
    {
        var storage = store.Account;
        var missing = store.IsEmulator
            ? (Check.Warning, "not there yet: any other command makes it")
            : (Check.Failed, "not there: deploy the function app first (docs/deploy.md), or name another account");
        var checks = new List<Check>();
        var (answers, date) = await ReachAsync(storage.Images, cancellationToken);
        checks.Add(answers);
        if (answers.State == Check.Failed)
        {
            // Each of the others would wait as long, and say the same.
            return checks;
        }

        foreach (var one in (BlobContainerClient[])[storage.Images, storage.Uploads, storage.Derived, storage.Catalog])
        {
            checks.Add(
                await TryAsync(
                    $"container {one.Name}",
                    missing,
                    async () =>
                    {
                        await one.GetPropertiesAsync(cancellationToken: cancellationToken);
                        return "there";
                    }
                )
            );
        }

        foreach (var table in (TableClient[])[storage.ImageTable, storage.Accounts])
        {
            checks.Add(await TryAsync($"table {table.Name}", missing, () => LookAsync(table, cancellationToken)));
        }

        checks.Add(await TryAsync("write a blob", missing, () => WriteBlobAsync(storage.Uploads, cancellationToken)));
        checks.Add(await TryAsync("write a row", missing, () => WriteRowAsync(storage.ImageTable, cancellationToken)));
        if (date is { } at)
        {
            checks.Add(ClockOf(TimeProvider.System.GetUtcNow() - at));
        }

        return checks;
    }

    /// <summary>What it means that this machine's clock is ahead of that of storage, or behind it.</summary>
    internal static Check ClockOf(TimeSpan ahead)
    {
        var by = ahead.Duration();
        var detail = string.Create(
            CultureInfo.InvariantCulture,
            $"{by.TotalSeconds:0} s {(ahead < TimeSpan.Zero ? "behind" : "ahead of")} that of storage"
        );
        return by >= s_clockFails
                ? new Check("clock", Check.Failed, $"{detail}, which refuses such requests: set the clock")
            : by >= s_clockWarns ? new Check("clock", Check.Warning, $"{detail}: set the clock")
            : new Check("clock", Check.Ok, detail);
    }

    // Any answer will do; it has the time, too.
    private static async Task<(Check Check, DateTimeOffset? Date)> ReachAsync(
        BlobContainerClient container,
        CancellationToken cancellationToken
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        var began = TimeProvider.System.GetTimestamp();
        try
        {
            var answer = await container.GetPropertiesAsync(cancellationToken: patience.Token);
            return (Answered(), answer.GetRawResponse().Headers.Date);
        }
        catch (RequestFailedException error) when (error.Status != 0)
        {
            return (Answered(), error.GetRawResponse()?.Headers.Date);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (new Check("storage", Check.Failed, $"does not answer in {s_patience.TotalSeconds:0} s"), null);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return (new Check("storage", Check.Failed, $"cannot be reached: {OneLine.Of(error)}"), null);
        }

        Check Answered() =>
            new(
                "storage",
                Check.Ok,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"answers in {TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms"
                )
            );
    }

    private static async Task<string> LookAsync(TableClient table, CancellationToken cancellationToken)
    {
        var rows = table.QueryAsync<TableEntity>(
            maxPerPage: 1,
            select: ["PartitionKey"],
            cancellationToken: cancellationToken
        );
        return await rows.AnyAsync(cancellationToken) ? "there" : "there, and empty";
    }

    private static async Task<string> WriteBlobAsync(BlobContainerClient container, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var probe = container.GetBlobClient($".doctor-{Guid.NewGuid():N}");
        await probe.UploadAsync(BinaryData.FromString(""), cancellationToken);
        await probe.DeleteAsync(cancellationToken: cancellationToken);
        return Took(began);
    }

    private static async Task<string> WriteRowAsync(TableClient table, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        // No namespace begins like that.
        var (partition, key) = ("!doctor", $"{Guid.NewGuid():N}");
        await table.AddEntityAsync(new TableEntity(partition, key), cancellationToken);
        await table.DeleteEntityAsync(partition, key, ETag.All, cancellationToken);
        return Took(began);
    }

    private static string Took(long began) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"written and removed in {TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms"
        );

    private static async Task<Check> TryAsync(
        string name,
        (string State, string Detail) missing,
        Func<Task<string>> look
    )
    {
        try
        {
            return new Check(name, Check.Ok, await look());
        }
        catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
        {
            return new Check(name, missing.State, missing.Detail);
        }
        catch (RequestFailedException error)
            when (error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden)
        {
            return new Check(name, Check.Failed, $"refused ({error.ErrorCode}): {Roles}");
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return new Check(name, Check.Failed, OneLine.Of(error));
        }
    }
}
