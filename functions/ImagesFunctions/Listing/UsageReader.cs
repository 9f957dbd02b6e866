using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>Tells what accounts take: as the last collection has left it, and what those with a quota take now.</summary>
internal sealed class UsageReader(UsageReports reports, RowStore rowStore)
{
    /// <summary>What an account takes.</summary>
    public async Task<AccountUsage> ReadAsync(string @namespace, CancellationToken cancellationToken)
    {
        var (report, counted) = (
            reports.ReadAsync(@namespace, cancellationToken),
            rowStore.QuotaAsync(@namespace, cancellationToken)
        );
        await Task.WhenAll(report, counted);
        return await counted is (Quota: { } quota, var used)
            ? await report with
            {
                Quota = quota.Bytes,
                Now = used is { } now ? (now.Bytes, now.Blobs) : null,
            }
            : await report;
    }
}
