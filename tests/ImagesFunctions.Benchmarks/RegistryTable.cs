using System.Globalization;
using System.Text;

namespace ImagesFunctions.Benchmarks;

/// <summary>One line of the table of a registry's work.</summary>
/// <param name="Work">What is done.</param>
/// <param name="Ours">How often a second, the median of the turns.</param>
/// <param name="Files">The same of CNCF distribution on the file system.</param>
/// <param name="Azure">The same of it on Azurite, or null where that is left out.</param>
/// <param name="Storage">The same of storage without a registry.</param>
internal sealed record WorkRow(string Work, double Ours, double Files, double? Azure, double Storage)
{
    /// <summary>Against the file system, then against Azurite.</summary>
    public string Won => Azure is { } azure ? $"{Against(Files)}, {Against(azure)}" : Against(Files);

    /// <summary>What a peer does, and ours by that.</summary>
    public string Beside(double peer) =>
        string.Create(CultureInfo.InvariantCulture, $"{Row.Amount(peer, "/s")} ({Ours / peer:0.00})");

    private string Against(double peer) => Ours >= peer ? "won" : "**lost**";
}

/// <summary>The section of the document about the work of a registry.</summary>
internal static class RegistryTable
{
    public static void Append(StringBuilder text, IReadOnlyList<WorkRow> rows, string note)
    {
        var azure = rows.All(row => row.Azure is not null);
        text.Append(
            CultureInfo.InvariantCulture,
            $"""

            ## The work of a registry

            What `zb`, the benchmark of the registry zot, does, by clients of our own: {RegistryPeers.Clients} of them at once; images (or
            catalogs) a second, medians of {Bench.Rounds} turns after one that does not count, all peers in turns. In brackets: ours by
            theirs. The last column says whether ours is at least as fast{(azure
                ? ": as docker-registry on the file system, then as docker-registry on Azurite"
                : " as docker-registry on the file system")}. {Score(rows, azure)}

            - A push is a layer, a config and a manifest with a tag, into a repository of its own. Monolithic: POST and PUT; chunked:
              POST, one PATCH without a length, and PUT. 1 MB is 1 MiB. All images of a size have the same layer, which was pushed
              once before: docker-registry does not store it again, ours stores it in each repository.
            - A pull is HEAD and GET of manifest, config and layer, whose bytes are dropped. Mixed work is the same steps in the same
              order for every peer.
            - Ours is on an Azurite in memory and checks a token in every request; docker-registry checks none. Every line begins with
              empty storage. After its turn ours has up to ten seconds to handle the events of what was pushed, which no turn counts.
            - docker-registry on Azurite: {note}
            - Storage alone is the same bytes by plain HTTP, in as few calls as there can be: three times Put Blob, or blocks of up to
              64 MiB where the push is chunked; three times Get Blob; one listing of the container by `/` for the catalog. It has no
              token, hash, row or tag. Ours gets its catalog from a list that it keeps, and may be faster than that listing.

            | work | ours | docker-registry, files | {(azure ? "docker-registry, Azurite | " : "")}storage alone | |
            | --- | --- | --- | {(azure ? "--- | " : "")}--- | --- |

            """
        );
        foreach (var row in rows)
        {
            var onAzure = row.Azure is { } peer ? $"{row.Beside(peer)} | " : "";
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Work} | {Row.Amount(row.Ours, "/s")} | {row.Beside(row.Files)} | {onAzure}{row.Beside(row.Storage)} | {row.Won} |\n"
            );
        }
    }

    private static string Score(IReadOnlyList<WorkRow> rows, bool azure)
    {
        var files = $"Won: {rows.Count(row => row.Ours >= row.Files)} of {rows.Count} against the file system";
        return azure
            ? $"{files}, {rows.Count(row => row.Ours >= row.Azure)} of {rows.Count} against Azurite."
            : $"{files}.";
    }
}
