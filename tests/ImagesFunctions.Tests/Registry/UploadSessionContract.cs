using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Where a session of an upload is, who reaches it, and what ends it.</summary>
public sealed class UploadSessionContract(KestrelFixture fixture) : AgainstUploads(fixture)
{
    [Theory]
    [InlineData("")]
    [InlineData("?digest=")]
    [InlineData("?digest=sha256:abc")]
    [InlineData("?digest=md5:abc")]
    public async Task A_missing_or_malformed_digest_is_400_and_the_session_lives_on(string query)
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(Repository);

        Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.SendAsync("PUT", location + query, "01234"u8.ToArray())
        );

        await IsAtAsync(client, location, "0-0");
    }

    [Fact]
    public async Task A_session_is_ended_by_delete_and_unknown_afterwards()
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(Repository);
        await client.PatchAsync(location, Some(100));

        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync("DELETE", location)).Status);

        await IsOverAsync(client, location);
        await LeavesNothingAsync();
    }

    [Fact]
    public async Task A_location_is_a_path_that_works_for_its_repository_and_account_only()
    {
        var client = await ClientAsync();
        var location = await client.BeginAsync(Repository);
        var other = $"{Repository}2";
        Assert.StartsWith($"/v2/{Repository}/blobs/uploads/", location, StringComparison.Ordinal);
        Assert.DoesNotContain('?', location);

        await IsOverAsync(client, location.Replace(Repository, other, StringComparison.Ordinal));

        var stranger = await RegistryClient.ForAsync(Host, Drop.Fresh("bob"));
        Is(HttpStatusCode.Forbidden, "DENIED", await stranger.PatchAsync(location, Some(10)));
        Is(HttpStatusCode.Forbidden, "DENIED", await stranger.SendAsync("DELETE", location));
        Is(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN", await stranger.GetAsync(location));
        await IsAtAsync(client, location + "?what=ever", "0-0");
    }
}
