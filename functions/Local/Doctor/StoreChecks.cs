using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

namespace ImagesFunctions.Local;

/// <summary>Checks of a storage account: that it answers, its clock, and what it has.</summary>
internal sealed class StoreChecks(Examined examined)
{
    // Storage refuses requests that are signed a quarter of an hour away from its own clock.
    private static readonly TimeSpan s_clockFails = TimeSpan.FromMinutes(14);
    private static readonly TimeSpan s_clockWarns = TimeSpan.FromMinutes(1);

    /// <summary>Looks. Where storage does not answer at all nothing else is asked: each would wait as long, and say the same.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        var storage = examined.Storage;
        var reached = await Look.AtAsync("storage", examined.Deadline, ReachAsync, cancellationToken);
        if (reached[0].State != Check.Ok)
        {
            return [reached[0] with { State = Check.Failed }];
        }

        List<BlobContainerClient> containers = [storage.Images, storage.Uploads, storage.Derived, storage.Catalog];
        if (!examined.IsEmulator)
        {
            containers.Add(storage.DeadLetters);
        }

        TableClient[] tables = [storage.ImageTable, storage.Accounts];
        var rights = new RightsChecks(examined);
        return
        [
            .. reached,
            .. await Task.WhenAll([
                .. containers.Select(container => ContainerAsync(container, cancellationToken)),
                .. tables.Select(table => TableAsync(table, cancellationToken)),
                rights.BlobsAsync(cancellationToken),
                rights.RowsAsync(cancellationToken),
                SchemaAsync(cancellationToken),
            ]),
        ];
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
                ? new Check("clock", Check.Failed, $"{detail}, which refuses such requests", Mends.Clock)
            : by >= s_clockWarns ? new Check("clock", Check.Warning, detail, Mends.Clock)
            : new Check("clock", Check.Ok, detail);
    }

    // Any answer will do; it has the time, too.
    private async Task<IReadOnlyList<Check>> ReachAsync(CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        DateTimeOffset? date;
        try
        {
            var answer = await examined.Storage.Images.GetPropertiesAsync(cancellationToken: cancellationToken);
            date = answer.GetRawResponse().Headers.Date;
        }
        catch (RequestFailedException error) when (error.Status != 0)
        {
            date = error.GetRawResponse()?.Headers.Date;
        }

        var took = TimeProvider.System.GetElapsedTime(began);
        var storage = new Check(
            "storage",
            Check.Ok,
            string.Create(CultureInfo.InvariantCulture, $"answers in {took.TotalMilliseconds:0} ms")
        );
        return
        [
            storage,
            date is { } at
                ? ClockOf(examined.Clock.GetUtcNow() - at)
                : new Check("clock", Check.Unknown, "storage does not say the time"),
        ];
    }

    private Task<Check> ContainerAsync(BlobContainerClient container, CancellationToken cancellationToken)
    {
        var name = $"container {container.Name}";
        return examined.AtAsync(
            name,
            async stop =>
            {
                try
                {
                    await container.GetPropertiesAsync(cancellationToken: stop);
                    return new Check(name, Check.Ok, "there");
                }
                catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
                {
                    return Missing(name, examined.Mends.Container(container.Name));
                }
            },
            cancellationToken,
            Expected.BlobRole
        );
    }

    private Task<Check> TableAsync(TableClient table, CancellationToken cancellationToken)
    {
        var name = $"table {table.Name}";
        return examined.AtAsync(
            name,
            async stop =>
            {
                try
                {
                    var rows = table.QueryAsync<TableEntity>(
                        maxPerPage: 1,
                        select: ["PartitionKey"],
                        cancellationToken: stop
                    );
                    return new Check(name, Check.Ok, await rows.AnyAsync(stop) ? "there" : "there, and empty");
                }
                catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
                {
                    return Missing(name, Mends.Rebuild);
                }
            },
            cancellationToken,
            Expected.TableRole
        );
    }

    private Task<Check> SchemaAsync(CancellationToken cancellationToken)
    {
        const string name = "version of the store";
        return examined.AtAsync(
            name,
            async stop =>
            {
                try
                {
                    var newest = await NewestAsync(stop);
                    return newest > ImagesApp.Schema
                        ? new Check(
                            name,
                            Check.Failed,
                            $"rows of schema {newest}, and this program reads {ImagesApp.Schema}",
                            "dotnet tool update --global ImagesFunctions.Tool"
                        )
                        : new Check(name, Check.Ok, newest is { } found ? $"schema {found}" : "no images yet");
                }
                catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
                {
                    return examined.NothingThere(name);
                }
            },
            cancellationToken,
            Expected.TableRole
        );
    }

    // Of the first images that storage finds: each version reads the rows of those before it.
    private async Task<long?> NewestAsync(CancellationToken cancellationToken)
    {
        var rows = examined.Storage.ImageTable.QueryAsync<TableEntity>(
            "RowKey ge 'i!' and RowKey lt 'i\"'",
            maxPerPage: 100,
            ["schema"],
            cancellationToken
        );
        await foreach (var page in rows.AsPages().WithCancellation(cancellationToken))
        {
            return page.Values.Max(row => row.GetInt64("schema"));
        }

        return null;
    }

    private Check Missing(string name, string mend) =>
        examined.IsEmulator
            ? new Check(name, Check.Warning, "not there yet: any other command makes it", examined.AnyCommand)
            : new Check(name, Check.Failed, "not there", mend);
}
