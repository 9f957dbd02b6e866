using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Accounts;

/// <summary>
/// The rows of the table <c>accounts</c> a second time, a blob each in the container <c>catalog</c>: <c>accounts/…</c> what was made, and
/// <c>revoked/…</c> what was taken back, for good. So a revocation holds whatever copy of a row comes back, and no two processes
/// write the same blob with different content.
/// </summary>
internal sealed class TokenBackup(StorageAccount account)
{
    private const string Made = "accounts/";
    private const string Revoked = "revoked/";

    private readonly CatalogBlobs _blobs = new(account);

    /// <summary>Keeps a row. One that is kept already stays as it is.</summary>
    public Task KeepAsync(string partition, TableRow row, CancellationToken cancellationToken) =>
        _blobs.TryWriteAsync(
            Made + PathOf(partition, row.Key),
            etag: null,
            BinaryData.FromString(RowText.Write(row)),
            new Dictionary<string, string>(StringComparer.Ordinal),
            cancellationToken
        );

    /// <summary>Keeps that a row is taken back.</summary>
    public Task RevokeAsync(string partition, string key, CancellationToken cancellationToken) =>
        _blobs.WriteAsync(
            Revoked + PathOf(partition, key),
            BinaryData.FromString(RowText.Write(new TableRow(key) { ["at"] = account.Clock.UtcNow })),
            cancellationToken
        );

    /// <summary>Keeps what has no backup yet, as a row of an earlier version, and removes rows that were revoked: an older copy of the table brought them back.</summary>
    public async Task BringForwardAsync(CancellationToken cancellationToken)
    {
        var made = await PathsAsync(Made, cancellationToken);
        var revoked = await PathsAsync(Revoked, cancellationToken);
        await foreach (var (partition, row) in account.TokenRows.AllAsync(cancellationToken))
        {
            var path = PathOf(partition, row.Key);
            if (revoked.Contains(path))
            {
                await account.TokenRows.PutAsync(partition, new Change(row.Key, null), cancellationToken);
            }
            else if (!made.Contains(path))
            {
                await KeepAsync(partition, row, cancellationToken);
            }
        }
    }

    /// <summary>Writes the rows that are kept and not revoked, where they are missing.</summary>
    /// <returns>How many are kept.</returns>
    /// <exception cref="InvalidDataException">One cannot be read; the message names its blob.</exception>
    public async Task<int> RestoreAsync(CancellationToken cancellationToken)
    {
        var revoked = await PathsAsync(Revoked, cancellationToken);
        var count = 0;
        foreach (var path in (await PathsAsync(Made, cancellationToken)).Where(p => !revoked.Contains(p)))
        {
            if (await _blobs.ReadAsync(Made + path, cancellationToken) is not { } blob)
            {
                continue;
            }

            var (partition, key) = path.Split('/') switch
            {
                [var p, var k] => (Uri.UnescapeDataString(p), Uri.UnescapeDataString(k)),
                _ => throw new InvalidDataException($"The blob {Made}{path} of the container catalog is no token's"),
            };
            var row = RowText.Read(key, BinaryData.FromBytes(blob.Bytes).ToString());
            // Refused where it is there.
            await account.TokenRows.PutAsync(partition, new Change(key, row) { IsNew = true }, cancellationToken);
            count++;
        }

        return count;
    }

    private async Task<HashSet<string>> PathsAsync(string folder, CancellationToken cancellationToken)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var path in _blobs.PathsAsync(folder, cancellationToken))
        {
            paths.Add(path[folder.Length..]);
        }

        return paths;
    }

    private static string PathOf(string partition, string key) =>
        $"{Uri.EscapeDataString(partition)}/{Uri.EscapeDataString(key)}";
}
