using System.Text.Json;
using System.Text.Json.Serialization;
using ImagesFunctions.Blobs;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>
/// What accounts take, in the container <c>derived</c>: a blob of a namespace, which each collection writes anew. Versions that know
/// nothing of it leave it alone.
/// </summary>
internal sealed class UsageReports(StorageAccount account)
{
    // 500,000 repositories and more.
    private const int MaxLength = 64 * 1024 * 1024;

    private readonly DerivedBlobs _blobs = new(account);

    /// <summary>What the last collection has written; <see cref="AccountUsage.None"/> where there is nothing that can be read.</summary>
    public async Task<AccountUsage> ReadAsync(string @namespace, CancellationToken cancellationToken)
    {
        if (await _blobs.ReadAsync(PathOf(@namespace), MaxLength, cancellationToken) is not { } bytes)
        {
            return AccountUsage.None;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, UsageJson.Default.AccountUsage) ?? AccountUsage.None;
        }
        catch (JsonException)
        {
            // Damaged: the next collection writes it anew.
            return AccountUsage.None;
        }
    }

    /// <summary>Writes it, in the place of what was there.</summary>
    public async Task WriteAsync(string @namespace, AccountUsage usage, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(usage, UsageJson.Default.AccountUsage));
        await _blobs.WriteAsync(
            PathOf(@namespace),
            bytes,
            new Dictionary<string, string>(StringComparer.Ordinal),
            cancellationToken
        );
    }

    // The number is that of the format. No app's facts are there: those are a folder deeper.
    private static string PathOf(string @namespace) => $"{@namespace}/usage/1";
}

/// <summary>The form of usage in storage.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    IgnoreReadOnlyProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(AccountUsage))]
internal sealed partial class UsageJson : JsonSerializerContext;
