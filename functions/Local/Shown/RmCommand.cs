using System.CommandLine;
using ImagesFunctions.Images;

namespace ImagesFunctions.Local;

/// <summary><c>rm</c>: removes a tag, or an image with all its tags, after it has said what goes.</summary>
internal static class RmCommand
{
    public static Command Make(Terminal terminal)
    {
        var name = ImageName.Argument();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would go, and change nothing" };
        var rm = new Command(
            "rm",
            "Removes a tag (its image stays), or by digest an image with all its tags; says what goes, and asks"
        )
        {
            name,
            yes,
            dryRun,
        };
        Help.Examples(rm, "rm demo/web:old", "rm demo/web@sha256:1f3c5e7a9b2d --yes", "rm demo/web:v1 --dry-run");
        return terminal.Runs(
            rm,
            async (parsed, images, cancellationToken) =>
            {
                var asked = ImageName.Parse(parsed.GetValue(name))!;
                var image = await asked.FindAsync(images.Stored, cancellationToken);
                var details = await images.Stored.DetailsAsync(image, cancellationToken);
                await terminal.Errors.WriteLineAsync(Goes(asked, image, details));
                if (parsed.GetValue(dryRun))
                {
                    return 0;
                }

                if (!parsed.GetValue(yes) && !await AskAsync(terminal, cancellationToken))
                {
                    await terminal.Errors.WriteLineAsync("Nothing was removed.");
                    return 1;
                }

                await RemoveAsync(asked, image, images.Stored, cancellationToken);
                await terminal.Output.WriteLineAsync(
                    asked.Tag is { } tag ? $"{image.Repository}:{tag}" : $"{image.Repository}@{image.Digest}"
                );
                return 0;
            }
        );
    }

    private static string Goes(ImageName asked, StoredImage image, ImageDetails? details)
    {
        if (asked.Tag is { } tag)
        {
            var others = image.Tags.Where(t => t != tag).ToList();
            return $"The tag {image.Repository.DisplayName}:{tag} goes. Its image {image.Digest} stays, "
                + (others.Count == 0 ? "without a tag." : $"tagged {Values.Text(others)}.");
        }

        var tags = image.Tags.Count == 0 ? "" : $", with its tags {string.Join(", ", image.Tags)}";
        var named = details?.Manifest.Manifests.Count ?? 0;
        var children = named == 0 ? "" : $" {named} manifests that only it names go with a later sweep.";
        var referrers = details?.Referrers.Count ?? 0;
        var subject = referrers == 0 ? "" : $" {referrers} manifests that refer to it stay.";
        return $"The image {image.Repository.DisplayName}@{image.Digest} goes{tags}.{children}{subject}";
    }

    private static async Task<bool> AskAsync(Terminal terminal, CancellationToken cancellationToken)
    {
        if (!Screen.CanAsk(terminal.Errors))
        {
            throw new UsageException("Nobody can be asked here: say --yes to remove it, or --dry-run");
        }

        await terminal.Errors.WriteAsync("Remove? [y/N] ");
        var answer = await Task.Run(Console.In.ReadLine, cancellationToken).WaitAsync(cancellationToken);
        return answer?.Trim() is "y" or "Y" or "yes";
    }

    private static async Task RemoveAsync(
        ImageName asked,
        StoredImage image,
        StoredImages images,
        CancellationToken cancellationToken
    )
    {
        if (asked.Tag is { } tag)
        {
            if (!await images.RemoveTagAsync(image.Repository, tag, cancellationToken))
            {
                throw new LocalException($"There is no tag {image.Repository.DisplayName}:{tag} any more.");
            }

            return;
        }

        var result = await images.RemoveAsync(image, cancellationToken);
        var name = $"{image.Repository.DisplayName}@{image.Digest}";
        if (!result.IsDone)
        {
            throw new LocalException(
                result.IsPinned ? $"{name} is pinned: unpin it first"
                : result.NeededBy is { } by
                    ? $"{name} is needed by {image.Repository.DisplayName}@{by}: remove that first"
                : $"{name} was removed meanwhile"
            );
        }
    }
}
