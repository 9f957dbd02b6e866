using System.CommandLine;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

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
            if (
                result.GetValueOrDefault<DirectoryInfo>() is { } given
                && !File.Exists(Path.Combine(given.FullName, "index.json"))
            )
            {
                result.AddError($"'{given}' is no OCI image layout: it has no index.json");
            }
        });
        var name = new Argument<string>("namespace/app") { Description = "The repository, such as demo/hello" };
        name.Validators.Add(result =>
        {
            if (!Repository.TryParse(result.GetValueOrDefault<string?>(), out _))
            {
                result.AddError(
                    $"'{result.GetValueOrDefault<string?>()}' is no repository: use <namespace>/<app>, in lower case"
                );
            }
        });
        return terminal.Runs(
            new Command("drop", "Copies an OCI image layout into the container, where it is ingested") { folder, name },
            async (parsed, services, cancellationToken) =>
            {
                var images = services.GetRequiredService<StorageAccount>().Images;
                var layout = parsed.GetValue(folder)!.FullName;
                var repository = parsed.GetValue(name)!;
                // Any order works; with index.json last the image appears together with its tags.
                var files = Directory
                    .EnumerateFiles(layout, "*", SearchOption.AllDirectories)
                    .Select(file => Path.GetRelativePath(layout, file).Replace('\\', '/'))
                    .OrderBy(file => file == "index.json")
                    .ToList();
                foreach (var file in files)
                {
                    await images
                        .GetBlobClient($"{repository}/{file}")
                        .UploadAsync(Path.Combine(layout, file), overwrite: true, cancellationToken);
                }

                await terminal.Output.WriteLineAsync(
                    $"{files.Count} files dropped at {repository}. What becomes of them: dotnet run --project functions/Local -- status {repository}"
                );
                return 0;
            }
        );
    }
}
