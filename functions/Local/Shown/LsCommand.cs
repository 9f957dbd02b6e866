using System.CommandLine;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>ls</c>: the images that are listed.</summary>
internal static class LsCommand
{
    /// <summary>How many hexadecimal digits of a digest a table shows.</summary>
    internal const int ShownDigest = 12;

    public static Command Make(Terminal terminal)
    {
        var where = Where();
        var listing = new Listing<StoredImage>(Columns, image => $"{image.Repository}@{image.Digest}");
        var ls = new Command("ls", "Lists images with their tags, sizes and digests") { where };
        listing.AddTo(ls);
        var watching = new Watching();
        watching.AddTo(ls);
        Help.Examples(
            ls,
            "ls",
            "ls demo/web --sort -pushed",
            "ls demo --filter 'tag=v1.*' --filter 'size>100MiB'",
            "ls demo --filter tag= --output quiet     # images without a tag",
            "ls demo --watch"
        );
        return terminal.Runs(
            ls,
            (parsed, images, cancellationToken) =>
                watching.RunAsync(
                    terminal,
                    parsed,
                    async stop =>
                    {
                        var parts = parsed.GetValue(where)?.Split('/', 2);
                        var found = await FindAsync(images, parts, stop);
                        var hint = parts is null
                            ? ""
                            : $" What waits or was refused: {terminal.Hint(parsed, $"status {string.Join('/', parts)}")}";
                        return new Shown(
                            output => listing.WriteAsync(parsed, found, output),
                            found.Count == 0 ? $"Nothing is listed.{hint}" : null
                        );
                    },
                    cancellationToken
                )
        );
    }

    private static async Task<IReadOnlyList<StoredImage>> FindAsync(
        ImagesApp images,
        string[]? parts,
        CancellationToken cancellationToken
    )
    {
        var found = new List<StoredImage>();
        foreach (var name in parts is null ? await NamespacesAsync(images, cancellationToken) : [parts[0]])
        {
            found.AddRange(await images.Stored.ListAsync(name, parts?.ElementAtOrDefault(1), cancellationToken));
        }

        return found;
    }

    private static Argument<string?> Where()
    {
        var where = new Argument<string?>("namespace[/app]")
        {
            Description = "An account, or one app of it (default: all accounts)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        where.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (given is not null && !Repository.IsNamespace(given) && !Repository.TryParse(given, out _))
            {
                result.AddError($"'{given}' is neither a namespace nor <namespace>/<app>");
            }
        });
        return where;
    }

    /// <summary>What a table says of an image.</summary>
    internal static IReadOnlyList<Column<StoredImage>> Columns { get; } =
    [
        new("repository", image => image.Repository.DisplayName),
        new("tag", image => image.Tags),
        new("digest", image => image.Digest.ToString())
        {
            Text = image => $"{image.Digest.Algorithm}:{image.Digest.Encoded[..ShownDigest]}",
        },
        new("size", image => image.Size) { Text = image => Values.Size(image.Size), IsNumber = true },
        new("pushed", image => image.Pushed),
        new("pinned", image => image.IsPinned),
        new("kind", image => MediaTypes.IsIndex(image.MediaType) ? "index" : "image"),
    ];

    /// <summary>The accounts that have images. Every repository is a folder of the container, however its images came.</summary>
    internal static async Task<IReadOnlyList<string>> NamespacesAsync(
        ImagesApp images,
        CancellationToken cancellationToken
    )
    {
        var names = new List<string>();
        var folders = images.Storage.Images.GetBlobsByHierarchyAsync(
            new GetBlobsByHierarchyOptions { Delimiter = "/" },
            cancellationToken
        );
        await foreach (var folder in folders)
        {
            if (folder.IsPrefix && Repository.IsNamespace(folder.Prefix.TrimEnd('/')))
            {
                names.Add(folder.Prefix.TrimEnd('/'));
            }
        }

        return names;
    }
}
