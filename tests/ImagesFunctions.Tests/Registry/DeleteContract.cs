using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What deletes of tags, manifests and blobs promise.</summary>
public sealed class DeleteContract(KestrelFixture fixture) : AgainstManifests(fixture)
{
    [Fact]
    public async Task Deletes_are_visible_at_once_and_what_is_needed_is_405_naming_who_needs_it()
    {
        var client = await ClientAsync();
        var token = await Host.TokenForAsync(Account);
        var layout = new Layout();
        var image = layout.AddImage("one");
        var index = layout.AddIndex(Layout.OciIndex, Layout.For(image, "linux", "amd64"));
        layout.Index(Layout.Tagged(index, "v1"), Layout.Tagged(index, "v2"));
        await client.PushAsync(Repository, layout);
        var layer = Layout.Digest(layout.Read(image)["layers"]![0]!.AsObject());
        await client.PushBlobAsync($"{Repository}2", layout.Files[Layout.PathOf(layer)]);

        await IsNeededAsync(client, $"blobs/{layer}", Layout.Digest(image));
        await IsNeededAsync(client, $"manifests/{Layout.Digest(image)}", Layout.Digest(index));
        await IsNeededAsync(client, $"blobs/{Layout.Digest(index)}", Layout.Digest(index));

        await DeleteAsync(client, "manifests/v1");
        Assert.Equal(["v2"], await TagsAsync(client));
        Assert.Equal(
            HttpStatusCode.OK,
            (await client.GetAsync($"/v2/{Repository}/manifests/{Layout.Digest(index)}")).Status
        );

        await DeleteAsync(client, $"manifests/{Layout.Digest(index)}");
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{Repository}/manifests/v2")).Status);
        Assert.Empty((await Host.ListAsync(token, $"namespace={Repository}")).Images);
        Assert.Equal(
            HttpStatusCode.OK,
            (await client.GetAsync($"/v2/{Repository}/manifests/{Layout.Digest(image)}")).Status
        );

        await DeleteAsync(client, $"manifests/{Layout.Digest(image)}");
        await DeleteAsync(client, $"blobs/{layer}");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{Repository}2/blobs/{layer}")).Status);
        Assert.False(
            await Host
                .Storage.Images.GetBlobClient($"{Repository}/{Layout.PathOf(layer)}")
                .ExistsAsync(TestContext.Current.CancellationToken)
        );
    }

    private async Task DeleteAsync(RegistryClient client, string path)
    {
        var reply = await client.SendAsync("DELETE", $"/v2/{Repository}/{path}");
        Assert.True(reply.Status == HttpStatusCode.Accepted, reply.Text);
        Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync("HEAD", $"/v2/{Repository}/{path}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync("DELETE", $"/v2/{Repository}/{path}")).Status);
    }

    private async Task IsNeededAsync(RegistryClient client, string path, string by)
    {
        var reply = await client.SendAsync("DELETE", $"/v2/{Repository}/{path}");
        Is(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED", reply);
        Assert.Contains(by, reply.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{Repository}/{path}")).Status);
    }
}
