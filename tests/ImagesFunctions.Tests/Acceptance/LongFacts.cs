using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>Labels and arguments that no table row can hold are listed all the same.</summary>
public sealed class LongFacts(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Fact]
    public async Task Labels_and_arguments_of_two_MiB_are_listed_in_full()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var labels = new JsonObject(
            Enumerable.Range(0, 60).Select(i => KeyValuePair.Create($"l{i:D3}", (JsonNode?)new string('é', 5_000)))
        );
        var config = layout.Add(
            Layout.OciConfig,
            new JsonObject
            {
                ["config"] = new JsonObject
                {
                    ["Cmd"] = new JsonArray("run", new string('x', 100_000)),
                    ["Labels"] = labels.DeepClone(),
                },
            }
        );
        var image = layout.AddManifest(config, layout.Add(Layout.OciTar, ""u8.ToArray()));

        await Host.LayoutAsync($"{account}/web", layout.Index(Layout.Tagged(image, "latest")));

        var expected = new JsonObject
        {
            ["digest"] = $"{account}/web@{Layout.Digest(image)}",
            ["tags"] = new JsonArray($"{account}/web:latest"),
            ["initrd"] = false,
            ["size_in_bytes"] = config["size"]!.DeepClone(),
            ["args"] = $"run {new string('x', 100_000)}",
            ["kernel_args"] = "",
            ["labels"] = labels,
        };
        await Host.ListsExactlyAsync(token, account, expected);

        // What is derived may be lost: it is made again.
        var stop = TestContext.Current.CancellationToken;
        var lost = 0;
        await foreach (
            var blob in Host.Storage.Derived.GetBlobsAsync(BlobTraits.None, BlobStates.None, $"{account}/", stop)
        )
        {
            await Host.Storage.Derived.DeleteBlobAsync(blob.Name, cancellationToken: stop);
            lost++;
        }

        Assert.Equal(1, lost);
        await Host.ListsExactlyAsync(token, account, expected);
    }
}
