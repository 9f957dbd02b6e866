using Azure.Storage.Blobs.Models;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>What other tools leave beside layouts is neither taken in nor refused, and harms nothing.</summary>
public sealed class ForeignFiles(KestrelFixture fixture) : AgainstAHost(fixture)
{
    public static TheoryData<string> Files =>
        [
            "manifest.json",
            "web/manifest.json",
            "web/repositories",
            ".DS_Store",
            "web/.DS_Store",
            "web/blobs/.DS_Store",
            "web/blobs/sha256/._sha256",
            "web/Thumbs.db",
            "web/desktop.ini",
        ];

    public static TheoryData<string> Folders => ["web", "web/blobs", "web/blobs/sha256", "Web", "new folder"];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_of_another_tool_is_ignored(string path)
    {
        var account = Drop.Fresh("alice");
        await Host.FileAsync($"{account}/{path}", "anything"u8.ToArray());

        await IsIgnoredAsync(account);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task A_blob_that_stands_for_a_folder_is_ignored(string path)
    {
        var account = Drop.Fresh("alice");
        await StubAsync($"{account}/{path}", []);
        await StubAsync(account, []);

        await IsIgnoredAsync(account);
    }

    [Fact]
    public async Task A_blob_with_bytes_that_calls_itself_a_folder_is_refused()
    {
        var account = Drop.Fresh("alice");
        await StubAsync($"{account}/web", [1]);

        Assert.Equal("refused", (await Host.RefusedAsync($"{account}/web")).State);
    }

    // One more file that is refused, by the same watcher and later: then the first one has been looked at.
    private async Task IsIgnoredAsync(string account)
    {
        var token = await Host.TokenForAsync(account);
        var layout = Layout.Small(account, "latest");
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListsExactlyAsync(
            token,
            account,
            layout.Listed($"{account}/web", layout.Manifests[0], account, "latest")
        );
        await Host.FileAsync($"{account}/last.txt", [1]);
        await Host.RefusedAsync($"{account}/last.txt");
        await Until.TrueAsync(
            async () =>
                await Host.StatusAsync(account) is { Unseen.Count: 0, Refused: [var only] }
                && only.Path == $"{account}/last.txt",
            () => Host.ExplainAsync(account)
        );
    }

    private async Task StubAsync(string path, byte[] bytes) =>
        await Host
            .Storage.Images.GetBlobClient(path)
            .UploadAsync(
                BinaryData.FromBytes(bytes),
                new BlobUploadOptions { Metadata = new Dictionary<string, string> { ["hdi_isfolder"] = "true" } },
                TestContext.Current.CancellationToken
            );
}
