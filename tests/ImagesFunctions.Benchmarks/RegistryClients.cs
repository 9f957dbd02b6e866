using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Benchmarks;

/// <summary>The layer of images: its bytes, and their digest, which is known before anything is timed.</summary>
internal sealed record Layer(string Name, byte[] Bytes, Digest Digest)
{
    public static Layer Random(string name, int length)
    {
        var bytes = new byte[length];
        System.Random.Shared.NextBytes(bytes);
        return new Layer(name, bytes, Digest.Sha256(bytes));
    }
}

/// <summary>An image of one layer, with a config and a manifest that no other one has.</summary>
internal sealed record LayerImage(Layer Layer, byte[] Config, Digest ConfigDigest, byte[] Manifest)
{
    public static LayerImage Of(Layer layer)
    {
        var config = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["architecture"] = "amd64",
                ["os"] = "linux",
                ["author"] = $"{Guid.NewGuid()}",
            }.ToJsonString()
        );
        var digest = Digest.Sha256(config);
        var manifest = RegistryImages.Manifest(
            RegistryImages.Descriptor("application/vnd.oci.image.config.v1+json", digest, config.Length),
            [RegistryImages.Descriptor("application/vnd.oci.image.layer.v1.tar", layer.Digest, layer.Bytes.Length)]
        );
        return new LayerImage(layer, config, digest, Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }
}

/// <summary>One client of a peer. It does one thing at a time.</summary>
internal interface IWorkClient : IDisposable
{
    /// <summary>Asks which repositories there are.</summary>
    /// <returns>How many.</returns>
    Task<int> CatalogAsync(CancellationToken stop);

    /// <summary>Pushes an image into a repository, with the tag <c>latest</c>.</summary>
    Task PushAsync(string repository, LayerImage image, bool chunked, CancellationToken stop);

    /// <summary>Pulls the image of that tag and drops it.</summary>
    /// <returns>How many bytes its layer had.</returns>
    Task<long> PullAsync(string repository, CancellationToken stop);
}

/// <summary>A client of a registry: ours or CNCF distribution. It closes what it is given.</summary>
internal sealed class RegistryClient(Client http) : IWorkClient
{
    private const string Tag = "latest";

    public async Task<int> CatalogAsync(CancellationToken stop)
    {
        using var json = JsonDocument.Parse(await http.GetAsync("v2/_catalog", stop));
        return json.RootElement.GetProperty("repositories").GetArrayLength();
    }

    public async Task PushAsync(string repository, LayerImage image, bool chunked, CancellationToken stop)
    {
        await BlobAsync(repository, image.Layer.Digest, image.Layer.Bytes, chunked, stop);
        await BlobAsync(repository, image.ConfigDigest, image.Config, chunked, stop);
        await RegistryImages.TagAsync(http, repository, Tag, image.Manifest, stop);
    }

    // Looks whether each part is there before it takes it, as zb does.
    public async Task<long> PullAsync(string repository, CancellationToken stop)
    {
        var path = $"v2/{repository}/manifests/{Tag}";
        await HeadAsync(path, stop);
        var (config, layer) = RegistryImages.PartsOf(await http.GetAsync(path, stop));
        path = $"v2/{repository}/blobs/{config}";
        await HeadAsync(path, stop);
        await http.GetAsync(path, stop);
        path = $"v2/{repository}/blobs/{layer}";
        await HeadAsync(path, stop);
        return (await http.TimeAsync(path, stop)).Bytes;
    }

    public void Dispose() => http.Dispose();

    private async Task HeadAsync(string path, CancellationToken stop)
    {
        using var _ = await http.SendAsync(HttpMethod.Head, path, HttpStatusCode.OK, stop);
    }

    private async Task BlobAsync(string repository, Digest digest, byte[] bytes, bool chunked, CancellationToken stop)
    {
        if (chunked)
        {
            using var content = new StreamContent(new WithoutLength(bytes), 128 * 1024);
            await http.PatchAsync(repository, digest, content, stop);
        }
        else
        {
            using var content = new ByteArrayContent(bytes);
            await http.PushAsync(repository, digest, content, stop);
        }
    }
}

/// <summary>
/// A client of storage alone, by plain HTTP: the same bytes by as few calls as there can be, in a container of its own. It closes
/// what it is given.
/// </summary>
/// <param name="http">To the blob service.</param>
/// <param name="container">The path of the container.</param>
/// <param name="signature">The query that permits everything in it.</param>
internal sealed class StorageClient(Client http, string container, string signature) : IWorkClient
{
    private const int BlockSize = 64 * 1024 * 1024;

    /// <summary>The container, made, and how to reach it.</summary>
    public static async Task<(Uri Address, string Container, string Signature)> OpenAsync(
        Store store,
        CancellationToken stop
    )
    {
        var raw = store.Account.Images.GetParentBlobServiceClient().GetBlobContainerClient("raw");
        await raw.CreateIfNotExistsAsync(cancellationToken: stop);
        var signed = raw.GenerateSasUri(BlobContainerSasPermissions.All, DateTimeOffset.UtcNow.AddHours(1));
        return (new Uri(signed.GetLeftPart(UriPartial.Authority)), signed.AbsolutePath, signed.Query[1..]);
    }

    public async Task<int> CatalogAsync(CancellationToken stop)
    {
        var query = $"restype=container&comp=list&prefix=alice/&delimiter=/&{signature}";
        var xml = Encoding.UTF8.GetString(await http.GetAsync($"{container}?{query}", stop));
        return xml.Split("<BlobPrefix>").Length - 1;
    }

    public async Task PushAsync(string repository, LayerImage image, bool chunked, CancellationToken stop)
    {
        var layer = Blob(repository, $"{image.Layer.Digest}");
        await (chunked ? BlocksAsync(layer, image.Layer.Bytes, stop) : PutAsync(layer, image.Layer.Bytes, stop));
        await PutAsync(Blob(repository, $"{image.ConfigDigest}"), image.Config, stop);
        await PutAsync(Blob(repository, "latest"), image.Manifest, stop);
    }

    public async Task<long> PullAsync(string repository, CancellationToken stop)
    {
        var manifest = await http.GetAsync($"{Blob(repository, "latest")}?{signature}", stop);
        var (config, layer) = RegistryImages.PartsOf(manifest);
        await http.GetAsync($"{Blob(repository, config)}?{signature}", stop);
        return (await http.TimeAsync($"{Blob(repository, layer)}?{signature}", stop)).Bytes;
    }

    public void Dispose() => http.Dispose();

    private string Blob(string repository, string name) =>
        $"{container}/{repository}/{name.Replace(":", "/", StringComparison.Ordinal)}";

    private async Task BlocksAsync(string blob, byte[] bytes, CancellationToken stop)
    {
        var list = new StringBuilder("<BlockList>");
        for (var from = 0; from < bytes.Length; from += BlockSize)
        {
            var id = Convert.ToBase64String(BitConverter.GetBytes(from));
            var query = $"comp=block&blockid={Uri.EscapeDataString(id)}&{signature}";
            using var block = new ByteArrayContent(bytes, from, Math.Min(BlockSize, bytes.Length - from));
            using var _ = await http.SendAsync(HttpMethod.Put, $"{blob}?{query}", HttpStatusCode.Created, stop, block);
            list.Append(CultureInfo.InvariantCulture, $"<Latest>{id}</Latest>");
        }

        using var ids = new StringContent($"{list}</BlockList>", Encoding.UTF8, "application/xml");
        using var committed = await http.SendAsync(
            HttpMethod.Put,
            $"{blob}?comp=blocklist&{signature}",
            HttpStatusCode.Created,
            stop,
            ids
        );
    }

    private async Task PutAsync(string blob, byte[] bytes, CancellationToken stop)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.Add("x-ms-blob-type", "BlockBlob");
        using var _ = await http.SendAsync(
            HttpMethod.Put,
            $"{blob}?{signature}",
            HttpStatusCode.Created,
            stop,
            content
        );
    }
}
