using System.Net;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Stress;

/// <summary>What has to be so when everybody has ended: all that the ledger says is there, and nothing else is.</summary>
internal sealed class InTheEnd(Goods goods, Ledger ledger)
{
    private const string Namespace = "alice";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private HashSet<(string Repository, string Digest)> Images =>
        [.. ledger.Items.Keys.SelectMany(i => goods.ManifestsOf(i.Digest).Select(m => (i.Repository, m)))];

    private HashSet<(string Repository, string Digest)> Blobs =>
        [.. Images.SelectMany(i => goods.BlobsOf(i.Digest).Append(i.Digest).Select(b => (i.Repository, b)))];

    /// <summary>All that was acknowledged is pulled whole, by digest and by tag, and lists show that and nothing else.</summary>
    public async Task IsThereAsync(Fleet fleet)
    {
        var puller = new Puller(fleet, goods);
        foreach (var (repository, item) in ledger.Items.Keys)
        {
            await puller.PullAsync(repository, item, item);
        }

        foreach (var ((repository, tag), item) in ledger.Tags)
        {
            await puller.PullAsync(repository, tag, item);
        }

        var list = await fleet.SendAsync("GET", "/v1/images/list");
        Assert.True(list.Status == HttpStatusCode.OK, list.Text);
        Assert.Equal(
            ledger
                .Items.Keys.Where(i => goods.SubjectOf(i.Digest) is null)
                .Select(i => string.Join(' ', [$"{i.Repository}@{i.Digest}", .. TagsOf(i.Repository, i.Digest)]))
                .Order(StringComparer.Ordinal),
            list.Json["data"]!["images"]!
                .AsArray()
                .Select(i => (Digest: i!["digest"]!.GetValue<string>(), Tags: i["tags"]!.AsArray()))
                .Select(i => string.Join(' ', [i.Digest, .. i.Tags.Select(t => Tag(t!.GetValue<string>()))]))
                .Order(StringComparer.Ordinal)
        );
        foreach (var repository in ledger.Items.Keys.Select(i => i.Repository).Distinct(StringComparer.Ordinal))
        {
            await ReferrersAreThereAsync(fleet, repository);
        }

        static string Tag(string reference) => reference[(reference.LastIndexOf(':') + 1)..];
    }

    private async Task ReferrersAreThereAsync(Fleet fleet, string repository)
    {
        foreach (var subject in goods.Items.Select(goods.SubjectOf).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            var reply = await fleet.SendAsync("GET", $"/v2/{repository}/referrers/{subject}");
            Assert.Equal(
                ledger
                    .Items.Keys.Where(i => i.Repository == repository && goods.SubjectOf(i.Digest) == subject)
                    .Select(i => i.Digest)
                    .Order(StringComparer.Ordinal),
                reply.Json["manifests"]!
                    .AsArray()
                    .Select(r => Layout.Digest(r!.AsObject()))
                    .Order(StringComparer.Ordinal)
            );
        }
    }

    private IEnumerable<string> TagsOf(string repository, string item) =>
        ledger
            .Tags.Where(t => t.Key.Repository == repository && t.Value == item)
            .Select(t => t.Key.Tag)
            .Order(StringComparer.Ordinal);

    /// <summary>Nothing that nobody needs has remained in any container or in the table.</summary>
    public async Task NothingElseIsLeftAsync(Node node)
    {
        Assert.Equal(
            Blobs
                .Select(b => $"{b.Repository}/{Layout.PathOf(b.Digest)}")
                .Concat(ledger.Dropped.Keys.SelectMany(r => new[] { $"{r}/index.json", $"{r}/oci-layout" }))
                .Order(StringComparer.Ordinal),
            (await node.PathsAsync()).Order(StringComparer.Ordinal)
        );
        Assert.Empty(await node.Storage.Uploads.GetBlobsAsync(cancellationToken: Stop).ToListAsync(Stop));

        var rows = (await node.RowStore.NamespaceAsync(Namespace, null, Stop)).Images;
        // A tagged image is not looked up in index.json: what says that it is named there stays as long as a tag of it.
        var kept = rows.Where(r => KeepsChildrenUnlisted(r.Value))
            .Select(r => r.Key)
            .Concat(
                ledger
                    .Tags.Select(t => Keys.Dependency(App(t.Key.Repository), Digest(t.Value), Dependent.Layout))
                    .Except(Rows())
            )
            .ToList();
        Assert.Equal(
            Rows().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            (await node.RowsAsync(Namespace)).Except(kept, StringComparer.Ordinal).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            rows.Values.Select(r => r.FactsBlob).OfType<string>().Order(StringComparer.Ordinal),
            (await node.Storage.Derived.GetBlobsAsync(cancellationToken: Stop).ToListAsync(Stop))
                .Select(b => b.Name)
                .Where(name => name != $"{Namespace}/usage/1")
                .Order(StringComparer.Ordinal)
        );
    }

    // The row of a deleted index stays as long as anything that it names, which another index may name as well.
    private bool KeepsChildrenUnlisted(ImageRow row) =>
        row.State == ImageState.Deleted
        && Images.Overlaps(row.Children.Select(c => (Repository: $"{Namespace}/{row.App}", Digest: c)));

    private IEnumerable<string> Rows()
    {
        foreach (var (repository, image) in Images)
        {
            var (app, digest) = (App(repository), Digest(image));
            yield return Keys.Image(app, digest);
            foreach (var needed in goods.BlobsOf(image).Concat(goods.ChildrenOf(image)))
            {
                yield return Keys.Dependency(app, Digest(needed), Dependent.Manifest(digest));
            }

            if (goods.SubjectOf(image) is { } subject)
            {
                yield return Keys.Referrer(app, Digest(subject), digest);
            }
        }

        foreach (var (repository, blob) in Blobs)
        {
            yield return Keys.Blob(App(repository), Digest(blob));
        }

        foreach (var (repository, tag) in ledger.Tags.Keys)
        {
            yield return Keys.Tag(App(repository), tag);
        }

        foreach (var (repository, item) in ledger.Dropped)
        {
            yield return Keys.Layout(App(repository));
            yield return Keys.Dependency(App(repository), Digest(item), Dependent.Layout);
        }
    }

    private static string App(string repository) => Node.Repository(repository).App;

    private static Digest Digest(string text) => Node.Digest(text);
}
