using System.Collections.Frozen;
using System.Text.Json;
using Azure;

namespace ImagesFunctions.Storage;

/// <summary>
/// The error codes of Azure's Blob and Table services and what each of them means
/// (learn.microsoft.com: "Common REST API error codes", "Blob Storage error codes", "Table Storage error codes").
/// </summary>
internal static class StorageCodes
{
    /// <summary>Of a blob in the archive tier.</summary>
    public const string Archived = "BlobArchived";

    /// <summary>Of a blob that is being rehydrated from the archive tier.</summary>
    public const string Rehydrating = "BlobBeingRehydrated";

    /// <summary>Of a blob under an immutability policy.</summary>
    public const string UnderPolicy = "BlobImmutableDueToPolicy";

    /// <summary>Of a blob under a legal hold.</summary>
    public const string UnderLegalHold = "BlobImmutableDueToLegalHold";

    /// <summary>Of a blob that somebody else has leased.</summary>
    public const string Leased = "LeaseIdMissing";

    /// <summary>Of a blob that a copy goes to.</summary>
    public const string CopiedTo = "PendingCopyOperation";

    /// <summary>There is no such table.</summary>
    public const string TableNotFound = "TableNotFound";

    /// <summary>There was such a table, and storage is still removing it.</summary>
    public const string TableBeingDeleted = "TableBeingDeleted";

    /// <summary>Of what was to be copied; the status is that of the source.</summary>
    public const string CopySource = "CannotVerifyCopySource";

    private const string Header = "x-ms-error-code";

    /// <summary>By code. A code that is not here is judged by its HTTP status, and never means <see cref="StorageMeaning.Absent"/>.</summary>
    public static readonly FrozenDictionary<string, StorageMeaning> Meanings = new Dictionary<StorageMeaning, string[]>
    {
        [StorageMeaning.Absent] = ["ResourceNotFound", "EntityNotFound", "BlobNotFound"],
        [StorageMeaning.Exists] = ["EntityAlreadyExists", "BlobAlreadyExists", "ResourceAlreadyExists"],
        [StorageMeaning.Changed] =
        [
            "ConditionNotMet",
            "UpdateConditionNotSatisfied",
            "TargetConditionNotMet",
            "SourceConditionNotMet",
            "BlobOverwritten",
        ],
        [StorageMeaning.NoStore] =
        [
            TableNotFound,
            TableBeingDeleted,
            "ContainerNotFound",
            "ContainerBeingDeleted",
            "ContainerDisabled",
            "AccountIsDisabled",
            "AccountBeingCreated",
        ],
        [StorageMeaning.Held] =
        [
            Archived,
            Rehydrating,
            UnderPolicy,
            UnderLegalHold,
            "LeaseAlreadyPresent",
            Leased,
            "LeaseIdMismatchWithBlobOperation",
            "LeaseLost",
            CopiedTo,
            "SnapshotsPresent",
            "SystemInUse",
        ],
        [StorageMeaning.Denied] =
        [
            "AuthenticationFailed",
            "AuthorizationFailure",
            "AuthorizationPermissionMismatch",
            "AuthorizationProtocolMismatch",
            "AuthorizationResourceTypeMismatch",
            "AuthorizationServiceMismatch",
            "AuthorizationSourceIPMismatch",
            "InsufficientAccountPermissions",
            "InvalidAuthenticationInfo",
            "NoAuthenticationInformation",
            "KeyVaultEncryptionKeyNotFound",
            "KeyVaultAccessTokenCannotBeAcquired",
            "KeyVaultVaultNotFound",
        ],
        [StorageMeaning.Away] = ["ServerBusy", "InternalError", "OperationTimedOut", "TooManyRequests"],
    }
        .SelectMany(m => m.Value.Select(code => KeyValuePair.Create(code, m.Key)))
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Why storage keeps a blob as it is, by each code that means <see cref="StorageMeaning.Held"/>, in words that end a sentence.</summary>
    public static readonly FrozenDictionary<string, string> Causes = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        [Archived] = "it is in the archive tier, and has to be rehydrated before it can be read",
        [Rehydrating] = "it is on its way out of the archive tier, which takes hours",
        [UnderPolicy] = "an immutability policy protects it",
        [UnderLegalHold] = "a legal hold protects it",
        [Leased] = "there is a lease on it",
        ["LeaseAlreadyPresent"] = "there is a lease on it",
        ["LeaseIdMismatchWithBlobOperation"] = "there is a lease on it",
        ["LeaseLost"] = "there was a lease on it",
        [CopiedTo] = "another blob is being copied to it",
        ["SnapshotsPresent"] = "it has snapshots",
        ["SystemInUse"] = "storage itself uses it",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>One of <see cref="Causes"/>.</summary>
    public static string CauseOf(string code) => Causes.GetValueOrDefault(code, "it may not be changed");

    /// <summary>What a code with an HTTP status means; where storage gave no code, or one that is not known, the status alone.</summary>
    public static StorageMeaning MeaningOf(string? code, int status) =>
        code is not null && Meanings.TryGetValue(code, out var meaning)
            ? meaning
            : status switch
            {
                // A condition is the only thing that fails like this, unless a code says otherwise.
                412 when code is null => StorageMeaning.Changed,
                401 or 403 => StorageMeaning.Denied,
                // A success that is an error nevertheless is one that cannot be read: its end is missing.
                >= 200 and < 300 => StorageMeaning.Away,
                _ when SaysAway(status) => StorageMeaning.Away,
                _ => StorageMeaning.Other,
            };

    /// <summary>Whether an HTTP status alone says that whoever gave it is away, too busy or has failed, and no more. 0: there was no answer.</summary>
    public static bool SaysAway(int status) => status is 0 or 408 or 429 or >= 500;

    /// <summary>Storage's own code of an error, or null. The answer to a HEAD request has it in a header only.</summary>
    public static string? CodeOf(RequestFailedException error) =>
        error.ErrorCode is { Length: > 0 } code ? code
        : error.GetRawResponse() is { } response ? CodeOf(response)
        : null;

    /// <summary>As the other overload, of an answer that the SDK did not turn into an exception. Tables say it in the body only.</summary>
    public static string? CodeOf(Response response)
    {
        if (response.Headers.TryGetValue(Header, out var code))
        {
            return code;
        }

        if (response.ContentStream is null)
        {
            return null;
        }

        try
        {
            using var body = JsonDocument.Parse(response.Content);
            return
                body.RootElement.TryGetProperty("odata.error", out var error)
                && error.TryGetProperty("code", out var named)
                ? named.GetString()
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // No answer of a table: somebody between us and storage.
            return null;
        }
    }
}
