using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>drop --wait</c>: until all images of a drop are complete, or one of their files was refused.</summary>
internal sealed class DropWait(Terminal terminal, ImagesApp images)
{
    private static readonly TimeSpan s_step = TimeSpan.FromSeconds(1);

    /// <summary>Waits.</summary>
    /// <param name="repository">Where they were dropped.</param>
    /// <param name="files">The drop.</param>
    /// <param name="patience">How long at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<int> RunAsync(
        string repository,
        ImageFiles files,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        var waiting = files.Images.Select(i => i.Digest).Distinct().ToList();
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            foreach (var digest in waiting.ToList())
            {
                var reference = ImageName.Reference($"{repository}@{digest}");
                if (await images.Stored.FindAsync(reference, cancellationToken) is { } image)
                {
                    waiting.Remove(digest);
                    await terminal.Output.WriteLineAsync(
                        $"Listed: {repository}@{digest}, {(image.Tags.Count == 0 ? "no tag" : $"tagged {Values.Text(image.Tags)}")}"
                    );
                }
            }

            if (waiting.Count == 0)
            {
                return ExitCode.Done;
            }

            if (await RefusedAsync(repository, files, cancellationToken) is { } refused)
            {
                await terminal.Errors.WriteLineAsync($"It will not be listed: {refused}");
                return ExitCode.Failed;
            }

            if (TimeProvider.System.GetElapsedTime(began) > patience)
            {
                await terminal.Errors.WriteLineAsync(
                    $"Not listed in {patience.TotalSeconds:0} s: {string.Join(", ", waiting)}. Does a server run, or the function app?"
                );
                return ExitCode.Failed;
            }

            await Task.Delay(s_step, cancellationToken);
        }
    }

    private async Task<string?> RefusedAsync(string repository, ImageFiles files, CancellationToken cancellationToken)
    {
        var parts = repository.Split('/', 2);
        var status = await images.StatusAsync(parts[0], parts[1], cancellationToken);
        var dropped = files
            .Paths.Append(ImageFiles.Index)
            .Select(p => $"{repository}/{p}")
            .ToHashSet(StringComparer.Ordinal);
        return status.Refused.FirstOrDefault(r => dropped.Contains(r.Path)) is { } refused
            ? $"{refused.Path}: {refused.Reason}"
            : null;
    }
}
