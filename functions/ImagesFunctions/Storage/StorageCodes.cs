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
            "TableNotFound",
            "TableBeingDeleted",
            "ContainerNotFound",
            "ContainerBeingDeleted",
            "ContainerDisabled",
            "AccountIsDisabled",
            "AccountBeingCreated",
        ],
        [StorageMeaning.Held] =
        [
            "BlobArchived",
            "BlobBeingRehydrated",
            "BlobImmutableDueToPolicy",
            "BlobImmutableDueToLegalHold",
            "LeaseAlreadyPresent",
            "LeaseIdMissing",
            "LeaseIdMismatchWithBlobOperation",
            "LeaseLost",
            "PendingCopyOperation",
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

    /// <summary>What a code with an HTTP status means; where storage gave no code, or one that is not known, the status alone.</summary>
    public static StorageMeaning MeaningOf(string? code, int status) =>
        code is not null && Meanings.TryGetValue(code, out var meaning)
            ? meaning
            : status switch
            {
                // A condition is the only thing that fails like this, unless a code says otherwise.
                412 when code is null => StorageMeaning.Changed,
                401 or 403 => StorageMeaning.Denied,
                0 or 408 or 429 or >= 500 => StorageMeaning.Away,
                _ => StorageMeaning.Other,
            };

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
