using System.CommandLine;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>drop</c>: copies an OCI image layout into the container, for whoever has no other tool at hand that does.</summary>
internal static class DropCommand
{
    public static Command Make(Terminal terminal)
    {
        var folder = new Argument<DirectoryInfo>("folder")
        {
            Description = "An OCI image layout: the folder of index.json",
        };
        folder.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<DirectoryInfo>();
            if (given is not null && !File.Exists(Path.Combine(given.FullName, "index.json")))
            {
                result.AddError($"'{given.FullName}' is no OCI image layout: it has no index.json");
            }
        });
        var name = new Argument<string>("namespace/app") { Description = "The repository, such as demo/hello" };
        name.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (!Repository.TryParse(given, out _))
            {
                result.AddError($"'{given}' is no repository: use <namespace>/<app>, in lower case");
            }
        });
        return terminal.Runs(
            new Command("drop", "Copies an OCI image layout into the container, where it is ingested") { folder, name },
            async (parsed, images, cancellationToken) =>
            {
                var layout = parsed.GetValue(folder)!.FullName;
                var repository = parsed.GetValue(name)!;
                var files = Files(layout, repository, terminal.Errors);
                var container = images.Storage.Images;
                foreach (var file in files)
                {
                    await container
                        .GetBlobClient($"{repository}/{file}")
                        .UploadAsync(Path.Combine(layout, file), overwrite: true, cancellationToken);
                }

                await terminal.Output.WriteLineAsync(
                    $"Dropped at {repository}: {files.Count} files. What becomes of them: dotnet run --project functions/Local -- status {repository}"
                );
                return 0;
            }
        );
    }

    // Any order works; with index.json last the image appears together with its tags.
    private static List<string> Files(string layout, string repository, TextWriter notes)
    {
        var all = Directory
            .EnumerateFiles(layout, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(layout, file).Replace('\\', '/'))
            .OrderBy(file => file == "index.json")
            .ToList();
        var files = all.FindAll(file => LayoutPath.TryParse($"{repository}/{file}", out _, out _));
        if (files.Find(file => !File.Exists(Path.Combine(layout, file))) is { } dangling)
        {
            throw new LocalException($"'{dangling}' cannot be read: nothing was dropped");
        }

        if (files.Count < all.Count)
        {
            var others = all.Except(files, StringComparer.Ordinal);
            notes.WriteLine($"Left out, because they are no files of a layout: {string.Join(", ", others)}");
        }

        return files;
    }
}
