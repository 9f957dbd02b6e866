using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>
/// Drops a tiny image without a tag, waits until it is listed, and removes it with all that it has left: the whole way of a drop, by
/// whoever takes drops in here.
/// </summary>
/// <param name="examined">What is looked at.</param>
/// <param name="namespace">Where it is dropped.</param>
internal sealed class DropCheck(Examined examined, string @namespace)
{
    /// <summary>Where it is dropped unless told otherwise.</summary>
    public const string DefaultNamespace = "doctor";

    private const string Name = "test drop";
    private const string Config = "application/vnd.oci.image.config.v1+json";
    private const string Layer = "application/vnd.oci.image.layer.v1.tar";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    private static readonly TimeSpan s_step = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_removal = TimeSpan.FromSeconds(30);

    private readonly string _repository = $"{@namespace}/doctor-{Guid.NewGuid():N}";

    /// <summary>How long it may take until the image is listed: a cold app, and its first event.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Drops, waits and removes.</summary>
    public async Task<Check> RunAsync(CancellationToken cancellationToken)
    {
        var (files, image) = Image();
        var checks = await Look.AtAsync(
            Name,
            Patience,
            async stop => [await ListedAsync(files, image, stop)],
            cancellationToken,
            Denied
        );
        // Also where it was never listed, and where the doctor is ended.
        var removed = await Look.AtAsync(
            Name,
            s_removal,
            async stop => [await RemoveAsync(files, image, stop)],
            CancellationToken.None,
            Denied
        );
        var check = checks[0];
        if (check.State == Check.Unknown)
        {
            check = check with
            {
                State = Check.Failed,
                Detail = $"not listed: {check.Detail}",
                Mend = $"{Mends.Subscribe}; what the app says: docs/operate.md",
            };
        }

        return check.State == Check.Ok && removed[0].State != Check.Ok ? removed[0] : check;
    }

    private Check Denied(Azure.RequestFailedException error)
    {
        var (detail, mend) = examined.Mends.OfDenied(error.ErrorCode, Expected.BlobRole);
        return new Check(Name, Check.Failed, detail, mend);
    }

    private async Task<Check> ListedAsync(
        IReadOnlyDictionary<string, byte[]> files,
        Reference image,
        CancellationToken cancellationToken
    )
    {
        foreach (var (path, bytes) in files)
        {
            await examined
                .Storage.Images.GetBlobClient($"{_repository}/{path}")
                .UploadAsync(BinaryData.FromBytes(bytes), cancellationToken);
        }

        var began = TimeProvider.System.GetTimestamp();
        while (await examined.Images.Stored.FindAsync(image, cancellationToken) is null)
        {
            await Task.Delay(s_step, cancellationToken);
        }

        var took = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        return new Check(
            Name,
            Check.Ok,
            string.Create(CultureInfo.InvariantCulture, $"listed after {took:0} s, and removed")
        );
    }

    private async Task<Check> RemoveAsync(
        IReadOnlyDictionary<string, byte[]> files,
        Reference image,
        CancellationToken cancellationToken
    )
    {
        if (await examined.Images.Stored.FindAsync(image, cancellationToken) is { } listed)
        {
            await examined.Images.Stored.RemoveAsync(listed, cancellationToken);
        }

        foreach (var path in files.Keys.Select(file => $"{_repository}/{file}"))
        {
            await examined
                .Storage.Images.GetBlobClient(path)
                .DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken);
            // No event tells that a blob is gone.
            await examined.Images.TryBlobLandedAsync(path, cancellationToken);
        }

        return await examined.Images.Stored.FindAsync(image, cancellationToken) is null
            ? new Check(Name, Check.Ok, "removed")
            : new Check(
                Name,
                Check.Failed,
                $"{_repository} could not be removed",
                $"{TypedCommand.Text} rm {image} --yes"
            );
    }

    // Each time another one, so that nothing of it was ever there.
    private (IReadOnlyDictionary<string, byte[]> Files, Reference Image) Image()
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        // The end of an archive in which nothing is.
        var layer = Blob(Layer, new byte[1024]);
        var config = Json(
            Config,
            new JsonObject
            {
                ["architecture"] = "amd64",
                ["os"] = "linux",
                ["author"] = _repository,
                ["rootfs"] = new JsonObject
                {
                    ["type"] = "layers",
                    ["diff_ids"] = new JsonArray((string?)layer["digest"]),
                },
            }
        );
        var manifest = Json(
            ManifestType,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = ManifestType,
                ["config"] = config,
                ["layers"] = new JsonArray(layer),
            }
        );
        files["oci-layout"] = """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray();
        files["index.json"] = Bytes(
            new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(manifest.DeepClone()) }
        );
        return (files, ImageName.Reference($"{_repository}@{manifest["digest"]}"));

        JsonObject Json(string mediaType, JsonObject json) => Blob(mediaType, Bytes(json));

        JsonObject Blob(string mediaType, byte[] bytes)
        {
            var hex = Convert.ToHexStringLower(SHA256.HashData(bytes));
            files[$"blobs/sha256/{hex}"] = bytes;
            return new JsonObject
            {
                ["mediaType"] = mediaType,
                ["digest"] = $"sha256:{hex}",
                ["size"] = bytes.Length,
            };
        }
    }

    private static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString());
}
