using System.Net;
using Azure;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Storage;

/// <summary>What each error of storage means: as Azure's lists say, and as the emulator and the SDK pass it on.</summary>
public sealed class StorageErrorsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Code, status, meaning.</summary>
    public static TheoryData<string, int, string> Rows =>
        new()
        {
            { "ResourceNotFound", 404, "Absent" },
            { "EntityNotFound", 404, "Absent" },
            { "BlobNotFound", 404, "Absent" },
            { "EntityAlreadyExists", 409, "Exists" },
            { "BlobAlreadyExists", 409, "Exists" },
            { "ResourceAlreadyExists", 409, "Exists" },
            { "ConditionNotMet", 412, "Changed" },
            { "UpdateConditionNotSatisfied", 412, "Changed" },
            { "TargetConditionNotMet", 412, "Changed" },
            { "SourceConditionNotMet", 412, "Changed" },
            { "BlobOverwritten", 412, "Changed" },
            { "TableNotFound", 404, "NoStore" },
            { "TableBeingDeleted", 409, "NoStore" },
            { "ContainerNotFound", 404, "NoStore" },
            { "ContainerBeingDeleted", 409, "NoStore" },
            { "ContainerDisabled", 409, "NoStore" },
            { "AccountIsDisabled", 403, "NoStore" },
            { "AccountBeingCreated", 409, "NoStore" },
            { "BlobArchived", 409, "Held" },
            { "BlobBeingRehydrated", 409, "Held" },
            { "BlobImmutableDueToPolicy", 409, "Held" },
            { "BlobImmutableDueToLegalHold", 409, "Held" },
            { "LeaseAlreadyPresent", 409, "Held" },
            { "LeaseIdMissing", 412, "Held" },
            { "LeaseIdMismatchWithBlobOperation", 412, "Held" },
            { "LeaseLost", 412, "Held" },
            { "PendingCopyOperation", 409, "Held" },
            { "SnapshotsPresent", 409, "Held" },
            { "SystemInUse", 409, "Held" },
            { "AuthenticationFailed", 403, "Denied" },
            { "AuthorizationFailure", 403, "Denied" },
            { "AuthorizationPermissionMismatch", 403, "Denied" },
            { "AuthorizationProtocolMismatch", 403, "Denied" },
            { "AuthorizationResourceTypeMismatch", 403, "Denied" },
            { "AuthorizationServiceMismatch", 403, "Denied" },
            { "AuthorizationSourceIPMismatch", 403, "Denied" },
            { "InsufficientAccountPermissions", 403, "Denied" },
            { "InvalidAuthenticationInfo", 401, "Denied" },
            { "NoAuthenticationInformation", 401, "Denied" },
            { "KeyVaultEncryptionKeyNotFound", 403, "Denied" },
            { "KeyVaultAccessTokenCannotBeAcquired", 403, "Denied" },
            { "KeyVaultVaultNotFound", 403, "Denied" },
            { "ServerBusy", 503, "Away" },
            { "InternalError", 500, "Away" },
            { "OperationTimedOut", 500, "Away" },
            { "TooManyRequests", 429, "Away" },
        };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_code_has_its_meaning(string code, int status, string meaning)
    {
        Assert.Equal(meaning, StorageCodes.MeaningOf(code, status).ToString());
        // Whatever the status is.
        Assert.Equal(meaning, StorageCodes.MeaningOf(code, 400).ToString());
    }

    [Fact]
    public void Every_code_of_the_table_has_a_row_above() =>
        Assert.Equal(
            StorageCodes.Meanings.Keys.Order(StringComparer.Ordinal),
            Rows.Select(row => row.Data.Item1).Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Every_code_of_what_storage_holds_has_its_cause() =>
        Assert.Equal(
            StorageCodes.Meanings.Where(m => m.Value == StorageMeaning.Held).Select(m => m.Key).Order(),
            StorageCodes.Causes.Keys.Order()
        );

    [Theory]
    [InlineData(null, 404, "Other")]
    [InlineData("SomethingNotFound", 404, "Other")]
    [InlineData(null, 409, "Other")]
    [InlineData("SomethingNew", 409, "Other")]
    [InlineData("SomethingNew", 412, "Other")]
    [InlineData(null, 412, "Changed")]
    [InlineData(null, 403, "Denied")]
    [InlineData(null, 500, "Away")]
    [InlineData(null, 0, "Away")]
    // Its end is missing.
    [InlineData(null, 202, "Away")]
    [InlineData("InvalidInput", 400, "Other")]
    public void Without_a_known_code_nothing_is_absent(string? code, int status, string meaning) =>
        Assert.Equal(meaning, StorageCodes.MeaningOf(code, status).ToString());

    [Fact]
    public async Task Of_the_emulator_a_row_is_absent_and_a_table_is_not()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var table = node.Storage.ImageRows;
        var change = new Change("key", new TableRow("key"), new VersionTag("W/\"1\""));
        Assert.Null(await table.GetAsync("alice", "key", Stop));
        Assert.True((await table.PutAsync("alice", new Change("key", null), Stop)).IsDone);
        Assert.Equal(WriteOutcome.Gone, (await table.PutAsync("alice", change, Stop)).Outcome);
        Assert.Equal(WriteOutcome.Gone, (await table.WriteAsync("alice", [change], Stop)).Outcome);
        Assert.True((await table.PutAsync("alice", change with { IfMatch = null }, Stop)).IsDone);
        Assert.Equal(WriteOutcome.Refused, (await table.PutAsync("alice", change, Stop)).Outcome);
        Assert.Equal(WriteOutcome.Refused, (await table.WriteAsync("alice", [change], Stop)).Outcome);
        var added = change with { IfMatch = null, IsNew = true };
        Assert.Equal(WriteOutcome.Refused, (await table.WriteAsync("alice", [added], Stop)).Outcome);

        await node.Storage.ImageTable.DeleteAsync(Stop);

        Func<Task>[] calls =
        [
            () => table.GetAsync("alice", "key", Stop),
            () => table.GetWithTimeAsync("alice", "key", Stop),
            () => table.RangeAsync("alice", Keys.All('i'), Stop),
            () => table.NextPartitionAsync("", Stop),
            () => table.PutAsync("alice", new Change("key", null), Stop),
            () => table.PutAsync("alice", change, Stop),
            () => table.WriteAsync("alice", [change], Stop),
            () => table.WriteAgainAsync("alice", [new Change("key", null)], Stop),
        ];
        foreach (var call in calls)
        {
            Assert.Equal(StorageMeaning.NoStore, (await Assert.ThrowsAnyAsync<RequestFailedException>(call)).Meaning());
        }
    }

    [Fact]
    public async Task Of_the_emulator_a_blob_is_absent_and_a_container_is_not()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var content = new Content(node.Storage);
        var path = new BlobPath(Node.Repository("a/b"), Digest.Sha256([]));
        var stored = new StoredBlobs(node.Storage.Images);
        Assert.Null(await content.StatAsync("a/b", Stop));
        Assert.Null(await content.OpenAsync(path, "\"1\"", 1, 0, 1, Stop));
        Assert.True(await stored.DeleteAsync("a/b", Stop));

        await node.Storage.Images.DeleteAsync(cancellationToken: Stop);

        Func<Task>[] calls =
        [
            () => content.StatAsync("a/b", Stop),
            () => content.OpenAsync(path, "\"1\"", 1, 0, 1, Stop),
            () => content.ReadAsync(path, "\"1\"", Stop),
            () => content.CreateAsync(path, new byte[1], Stop),
            () => content.DeleteAsync(path, "\"1\"", Stop),
            () => stored.DeleteAsync("a/b", Stop),
            () => content.ListAsync("a", Stop),
        ];
        foreach (var call in calls)
        {
            Assert.Equal(StorageMeaning.NoStore, (await Assert.ThrowsAnyAsync<RequestFailedException>(call)).Meaning());
        }
    }

    [Theory]
    [InlineData("TableNotFound", 404)]
    [InlineData("TableBeingDeleted", 409)]
    [InlineData("AccountIsDisabled", 403)]
    public async Task Of_Azures_answers_a_table_that_is_missing_is_no_absent_row(string code, int status)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        using var says = new StorageSays(node.Connection) { Say = _ => new((HttpStatusCode)status, code) };
        var table = AzureLimits.AccountOver(node.Connection, says).ImageRows;
        var change = new Change("key", new TableRow("key"));
        Func<Task>[] calls =
        [
            () => table.GetAsync("alice", "key", Stop),
            () => table.RangeAsync("alice", Keys.All('i'), Stop),
            () => table.PutAsync("alice", new Change("key", null), Stop),
            () => table.PutAsync("alice", change, Stop),
            () => table.WriteAsync("alice", [change], Stop),
        ];
        foreach (var call in calls)
        {
            var error = await Assert.ThrowsAnyAsync<RequestFailedException>(call);
            Assert.Equal(StorageMeaning.NoStore, error.Meaning());
            Assert.StartsWith($"{code} ({status}): ", StorageErrors.Reason(error), StringComparison.Ordinal);
        }

        Assert.Equal(calls.Length, says.Said);
    }

    [Fact]
    public void The_reason_of_a_failure_is_storages_own_code()
    {
        var said = new RequestFailedException(
            409,
            "Not now.\nRequestId:1",
            BlobErrorCode.BlobArchived.ToString(),
            null
        );

        Assert.Equal("BlobArchived (409): Not now.", StorageErrors.Reason(said));
        Assert.Equal(
            "BlobArchived (409): no answer to a commit: Not now.",
            StorageErrors.Reason(new StorageUnavailableException("no answer to a commit", said))
        );
        Assert.Equal("others were faster", StorageErrors.Reason(new StorageUnavailableException("others were faster")));
    }
}
