using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ImagesFunctions.Local;

/// <summary>
/// Tries what one's own identity may do with blobs and rows: a read, a write and a delete of a probe of its own. Probes of a doctor that
/// was killed are removed by the next one.
/// </summary>
internal sealed class RightsChecks(Examined examined)
{
    /// <summary>What the names of probes begin with.</summary>
    internal const string Prefix = ".doctor-";

    /// <summary>The partition of probes. No namespace begins like that.</summary>
    internal const string Partition = "!doctor";

    private static readonly TimeSpan s_left = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_cleaning = TimeSpan.FromSeconds(5);

    /// <summary>Tries blobs.</summary>
    public Task<Check> BlobsAsync(CancellationToken cancellationToken) =>
        TryAsync("right to blobs", Expected.BlobRole, BlobStepsAsync, cancellationToken);

    /// <summary>Tries rows.</summary>
    public Task<Check> RowsAsync(CancellationToken cancellationToken) =>
        TryAsync("right to rows", Expected.TableRole, RowStepsAsync, cancellationToken);

    private Task<Check> TryAsync(
        string name,
        string role,
        Func<Steps, CancellationToken, Task> act,
        CancellationToken cancellationToken
    ) =>
        examined.AtAsync(
            name,
            async stop =>
            {
                var began = TimeProvider.System.GetTimestamp();
                var steps = new Steps();
                try
                {
                    await act(steps, stop);
                    var took = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds;
                    return new Check(
                        name,
                        Check.Ok,
                        string.Create(CultureInfo.InvariantCulture, $"read, written and removed in {took:0} ms")
                    );
                }
                catch (RequestFailedException error) when (Look.IsDenied(error))
                {
                    var (detail, mend) = examined.Mends.OfDenied(error.ErrorCode, role);
                    return new Check(name, Check.Failed, $"to {steps.Now}: {detail}", mend);
                }
                catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
                {
                    return examined.NothingThere(name);
                }
            },
            cancellationToken
        );

    private async Task BlobStepsAsync(Steps steps, CancellationToken cancellationToken)
    {
        var container = await ContainerAsync(cancellationToken);
        steps.Now = "read";
        var left = container.GetBlobsAsync(BlobTraits.None, BlobStates.None, Prefix, cancellationToken);
        await foreach (var other in left.WithCancellation(cancellationToken))
        {
            if (examined.Storage.Now - other.Properties.LastModified > s_left)
            {
                await container.DeleteBlobIfExistsAsync(other.Name, cancellationToken: cancellationToken);
            }
        }

        var probe = container.GetBlobClient($"{Prefix}{Guid.NewGuid():N}");
        steps.Now = "write";
        await WithAsync(
            () => probe.UploadAsync(BinaryData.FromString(""), cancellationToken),
            async () =>
            {
                steps.Now = "read";
                await probe.DownloadContentAsync(cancellationToken);
                steps.Now = "delete";
                await probe.DeleteAsync(cancellationToken: cancellationToken);
            },
            stop => probe.DeleteIfExistsAsync(cancellationToken: stop)
        );
    }

    private async Task RowStepsAsync(Steps steps, CancellationToken cancellationToken)
    {
        var table = examined.Storage.ImageTable;
        steps.Now = "read";
        await foreach (
            var left in table.QueryAsync<TableEntity>(
                row => row.PartitionKey == Partition,
                cancellationToken: cancellationToken
            )
        )
        {
            if (examined.Storage.Now - left.Timestamp > s_left)
            {
                await table.DeleteEntityAsync(Partition, left.RowKey, ETag.All, cancellationToken);
            }
        }

        var key = $"{Guid.NewGuid():N}";
        steps.Now = "write";
        await WithAsync(
            () => table.AddEntityAsync(new TableEntity(Partition, key), cancellationToken),
            async () =>
            {
                steps.Now = "delete";
                await table.DeleteEntityAsync(Partition, key, ETag.All, cancellationToken);
            },
            stop => table.DeleteEntityAsync(Partition, key, ETag.All, stop)
        );
    }

    // Of those that the library has, any that is there: it is the right to the account that is tried.
    private async Task<BlobContainerClient> ContainerAsync(CancellationToken cancellationToken)
    {
        BlobContainerClient[] containers = [examined.Storage.Uploads, examined.Storage.Derived];
        return await containers[0].ExistsAsync(cancellationToken) ? containers[0] : containers[1];
    }

    // What was written is removed, also where the look is ended.
    private static async Task WithAsync(Func<Task> write, Func<Task> use, Func<CancellationToken, Task> remove)
    {
        await write();
        try
        {
            await use();
        }
        catch (Exception)
        {
            using var end = new CancellationTokenSource(s_cleaning);
            await remove(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    /// <summary>What is tried now.</summary>
    private sealed class Steps
    {
        public string Now { get; set; } = "look";
    }
}
