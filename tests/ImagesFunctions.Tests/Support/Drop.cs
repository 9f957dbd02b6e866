using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using ImagesFunctions.Ingest;

namespace ImagesFunctions.Tests.Support;

/// <summary>Drops layouts into the container, file by file over HTTP, and waits for what becomes of them.</summary>
public static class Drop
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>A name that no other test uses: tests share one host and one storage.</summary>
    public static string Fresh(string name) => $"{name}{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    public static Task FileAsync(this RunningHost host, string path, byte[] bytes) =>
        host
            .Storage.Images.GetBlobClient(path)
            .UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, TestContext.Current.CancellationToken);

    /// <summary>Drops the files in the given order; without one, `index.json` last as a careful tool would.</summary>
    public static async Task LayoutAsync(
        this RunningHost host,
        string repository,
        Layout layout,
        IEnumerable<string>? order = null
    )
    {
        foreach (var path in order ?? layout.Files.Keys.OrderBy(path => path == "index.json"))
        {
            await host.FileAsync($"{repository}/{path}", layout.Files[path]);
        }
    }

    /// <summary>Waits until ingest has taken note of a good blob: its `b` row is there.</summary>
    public static Task VerifiedAsync(this RunningHost host, string @namespace, string app, string digest) =>
        Until.TrueAsync(
            () => host.HasRowAsync(@namespace, $"b!{digest}!{app}"),
            async () => $"{digest} was not verified. {await host.ExplainAsync(@namespace)}"
        );

    /// <summary>Waits until ingest has taken note of a manifest whose blobs are all there: its `i` row is there.</summary>
    public static Task CommittedAsync(this RunningHost host, string @namespace, string app, string digest) =>
        Until.TrueAsync(
            () => host.HasRowAsync(@namespace, $"i!{app}!{digest}"),
            async () => $"{digest} was not committed. {await host.ExplainAsync(@namespace)}"
        );

    /// <summary>Waits for the refusal of a path in the status of its namespace, and returns it.</summary>
    public static Task<RefusedBlob> RefusedAsync(this RunningHost host, string path)
    {
        var @namespace = path.Split('/')[0];
        return Until.SomeAsync(
            async () => (await host.StatusAsync(@namespace)).Refused.FirstOrDefault(one => one.Path == path),
            async () => $"{path} was not refused. {await host.ExplainAsync(@namespace)}"
        );
    }

    /// <summary>Waits for the refusal of a path that has no namespace, whose row stands in a partition of its own.</summary>
    public static async Task<TableEntity> RefusedWithoutNamespaceAsync(this RunningHost host, string path)
    {
        var row = $"x!{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))}";
        return await Until.SomeAsync(
            () => host.RowAsync("!refused", row),
            () => Task.FromResult($"{path} has no row {row}.")
        );
    }

    /// <summary>Waits until the refusal of a path has been taken back.</summary>
    public static Task HealedAsync(this RunningHost host, string path)
    {
        var @namespace = path.Split('/')[0];
        return Until.TrueAsync(
            async () => (await host.StatusAsync(@namespace)).Refused.All(one => one.Path != path),
            async () => $"{path} is still refused. {await host.ExplainAsync(@namespace)}"
        );
    }

    public static async Task<string> ExplainAsync(this RunningHost host, string @namespace) =>
        $"Status of {@namespace}: {JsonSerializer.Serialize(await host.StatusAsync(@namespace), Readable)}";

    private static async Task<bool> HasRowAsync(this RunningHost host, string partition, string row) =>
        await host.RowAsync(partition, row) is not null;

    private static async Task<TableEntity?> RowAsync(this RunningHost host, string partition, string row)
    {
        var found = await host.Storage.ImageTable.GetEntityIfExistsAsync<TableEntity>(
            partition,
            row,
            cancellationToken: TestContext.Current.CancellationToken
        );
        return found.HasValue ? found.Value : null;
    }
}
