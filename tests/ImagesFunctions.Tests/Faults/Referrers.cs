using System.Text.Json.Nodes;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A manifest with a subject is no image; a row of its own tells what refers to what.</summary>
public sealed class Referrers
{
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(10, true)]
    [InlineData(10_000, false)]
    public async Task Have_a_row_as_long_as_they_are_there(int annotationLength, bool annotationsInRow)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = new Layout();
        var image = layout.AddImage("one");
        var referrer = layout.Add(
            Layout.OciManifest,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Layout.OciManifest,
                ["artifactType"] = "application/vnd.example.signature",
                ["config"] = layout.Add("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()),
                ["layers"] = null,
                ["subject"] = image.DeepClone(),
                // As many as the largest legal manifest of the registry's contract has.
                ["annotations"] = new JsonObject(
                    Enumerable
                        .Range(0, 390)
                        .Select(i => KeyValuePair.Create($"a{i}", (JsonNode?)new string('x', annotationLength)))
                ),
            }
        );
        layout.Index(Layout.Tagged(image, "latest"), Layout.Tagged(referrer, "signature"));
        await node.PutAsync(Repo, layout);

        await node.StartAsync();

        Assert.Equal([$"web@{Layout.Digest(image)} latest"], await node.ListedAsync("alice"));
        var row = ReferrerRow.From(Assert.Single(await node.RowStore.RangeAsync("alice", Keys.All('r'), Stop)));
        Assert.Equal(Layout.Digest(image), row.Subject.ToString());
        Assert.Equal(Layout.Digest(referrer), row.Digest.ToString());
        Assert.Equal("application/vnd.example.signature", row.ArtifactType);
        Assert.Equal(referrer["size"]!.GetValue<long>(), row.Size);
        Assert.Equal(annotationsInRow ? 390 : null, row.Annotations?.Count);

        var removed = await node.Removal.ImageAsync(Node.Repository(Repo), row.Digest, Stop);

        Assert.Equal(new RemovalResult(true), removed with { Marked = null });
        Assert.Empty(await node.RowStore.RangeAsync("alice", Keys.All('r'), Stop));
        await Invariants.SettledAsync(node, "alice");
    }
}
