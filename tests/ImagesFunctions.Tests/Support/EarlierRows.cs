using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Support;

/// <summary>Rows as an earlier version has written them.</summary>
internal static class EarlierRows
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Gives an image's row a blob of its own with all of its facts, however long they are.</summary>
    public static async Task WithFactsBlobAsync(Node node, string repository, string digest)
    {
        var name = Node.Repository(repository);
        var row = (await node.RowStore.ImageAsync(name, Node.Digest(digest), Stop))!;
        row = await node.ImageRows.WithAllFactsAsync(name.Namespace, row, Stop);
        var content = node.Services.GetRequiredService<Content>();
        row = row with { FactsBlob = await content.Facts.WriteAsync(name.Namespace, row, Stop) };
        Assert.False(row.IsTruncated);
        await node.RowStore.CommitAsync(
            name.Namespace,
            (_, _) => Task.FromResult(Decision.Of(0, [new Change(row.Key, row.ToRow())])),
            Stop
        );
    }
}
