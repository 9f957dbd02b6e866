using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure;
using ImagesFunctions.Oci;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary><c>drop</c>: copies an image into the container, for whoever has no other tool at hand that does.</summary>
internal static class DropCommand
{
    private static readonly TimeSpan s_defaultWait = TimeSpan.FromMinutes(5);

    public static Command Make(Terminal terminal)
    {
        var source = Source();
        var name = RepositoryArgument();
        var tag = Tag("Set this tag on the image, in place of those that the layout or archive names");
        var wait = new Option<bool>("--wait") { Description = "Wait until it is listed; exit code 1 where it is not" };
        var patience = Patience();
        var drop = new Command(
            "drop",
            "Copies an OCI image layout, or an archive of one or of docker save, into the container, where it is ingested; a drop that was ended goes on where it was"
        )
        {
            source,
            name,
            tag,
            wait,
            patience,
        };
        Help.Examples(drop, "drop ./alpine demo/alpine", "drop image.tar demo/web --tag v1.2 --wait");
        return terminal.Runs(
            drop,
            async (parsed, images, cancellationToken) =>
            {
                var files = await ImageFiles.OpenAsync(parsed.GetValue(source)!, cancellationToken);
                if (parsed.GetValue(tag) is { } only)
                {
                    files.SetTag(only);
                }

                var repository = parsed.GetValue(name)!;
                await WarnAsync(terminal, images, repository, files, cancellationToken);
                var count = await SendAsync(terminal, images, repository, files, cancellationToken);
                await terminal.Output.WriteLineAsync(
                    $"Dropped at {repository}: {count} files. What becomes of them: {terminal.Hint(parsed, $"status {repository}")}"
                );
                if (!parsed.GetValue(wait))
                {
                    return ExitCode.Done;
                }

                var time = Duration.TryParse(parsed.GetValue(patience), out var given) ? given : s_defaultWait;
                return await new DropWait(terminal, images).RunAsync(repository, files, time, cancellationToken);
            }
        );
    }

    private static Option<string?> Patience()
    {
        var patience = new Option<string?>("--timeout")
        {
            Description = $"How long to wait, such as 90s or 10m (default: {s_defaultWait.TotalMinutes:0}m)",
        };
        patience.Validators.Add(result =>
        {
            if (!Duration.TryParse(result.GetValueOrDefault<string?>() ?? "", out _))
            {
                result.AddError($"'{result.GetValueOrDefault<string?>()}' is no duration like 10m or 1h");
            }
        });
        return patience;
    }

    /// <summary>The argument that names an image of files.</summary>
    internal static Argument<string> Source()
    {
        var source = new Argument<string>("layout|archive")
        {
            Description = "An OCI image layout (the folder of index.json), a tar of one, or one of docker save",
        };
        source.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string>();
            if (!Directory.Exists(given) && !File.Exists(given))
            {
                result.AddError($"'{given}' is neither a folder nor a file");
            }
            else if (
                Directory.Exists(given)
                && !File.Exists(Path.Combine(given, ImageFiles.Index))
                && !File.Exists(Path.Combine(given, DockerArchive.Manifest))
            )
            {
                result.AddError($"'{Path.GetFullPath(given)}' is no OCI image layout: it has no index.json");
            }
        });
        return source;
    }

    /// <summary>The option that names a tag.</summary>
    internal static Option<string?> Tag(string description)
    {
        var tag = new Option<string?>("--tag") { Description = description };
        tag.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (!Reference.IsTag(given))
            {
                result.AddError($"'{given}' is no tag");
            }
        });
        return tag;
    }

    private static Argument<string> RepositoryArgument()
    {
        var name = new Argument<string>("namespace/app") { Description = "The repository, such as demo/hello" };
        name.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (!Repository.TryParse(given, out _))
            {
                result.AddError($"'{given}' is no repository: use <namespace>/<app>, in lower case");
            }
        });
        return name;
    }

    private static async Task<int> SendAsync(
        Terminal terminal,
        ImagesApp images,
        string repository,
        ImageFiles files,
        CancellationToken cancellationToken
    )
    {
        var progress = new TransferProgress(terminal.Errors);
        var drop = new ImageDrop(images.Storage.Images, repository, progress);
        var (count, others) = (0, (IReadOnlyList<string>)[]);
        await progress.RunAsync(async () => (count, others) = await drop.RunAsync(files, cancellationToken));
        if (others.Count > 0)
        {
            await terminal.Errors.WriteLineAsync(
                $"Left out, because they are no files of a layout: {string.Join(", ", others)}"
            );
        }

        await terminal.Errors.WriteLineAsync(progress.Summary);
        return count;
    }

    // The tags of a repository's index.json are those of the last one that was dropped there.
    private static async Task WarnAsync(
        Terminal terminal,
        ImagesApp images,
        string repository,
        ImageFiles files,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var blob = images.Storage.Images.GetBlobClient($"{repository}/{ImageFiles.Index}");
            var before = JsonNode.Parse((await blob.DownloadContentAsync(cancellationToken)).Value.Content.ToArray());
            var tags = files.Images.Select(i => i.Tag).ToHashSet(StringComparer.Ordinal);
            var gone = ImageFiles
                .TagsOf(before)
                .Where(t => !tags.Contains(t))
                .Distinct(StringComparer.Ordinal)
                .ToList();
            if (gone.Count > 0)
            {
                await terminal.Errors.WriteLineAsync(
                    $"Warning: an earlier drop has set {Values.Text(gone)}, which this one takes away: a repository has the tags of the index.json that was dropped last, and those that were pushed."
                );
            }
        }
        catch (Exception error)
            when (error is JsonException or RequestFailedException { Status: StatusCodes.Status404NotFound })
        {
            // There was none, or one that has set no tag.
        }
    }
}
