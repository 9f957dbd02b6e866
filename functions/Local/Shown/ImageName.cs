using System.CommandLine;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>An image as it is typed: a repository with a tag, or with a digest, which may be shortened as tables show it.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag, or null.</param>
/// <param name="DigestStart">The beginning of a digest, or null.</param>
internal sealed record ImageName(Repository Repository, string? Tag, string? DigestStart)
{
    private const int MinDigest = 6;

    /// <summary>Whether it names a repository and none of its images.</summary>
    public bool IsRepository => Tag is null && DigestStart is null;

    /// <summary>Parses one; null where it is none. A repository of one part is an official one.</summary>
    public static ImageName? Parse(string? text)
    {
        var split = text?.IndexOfAny([':', '@']) ?? -1;
        if (!Repository.TryParseDisplayName(split < 0 ? text : text![..split], out var repository))
        {
            return null;
        }

        var rest = split < 0 ? "" : text![(split + 1)..];
        return split < 0 ? new ImageName(repository, null, null)
            : text![split] == ':'
                ? Oci.Reference.IsTag(rest) ? new ImageName(repository, rest, null)
                    : null
            : IsDigestStart(rest) ? new ImageName(repository, null, WithAlgorithm(rest))
            : null;
    }

    /// <summary>The reference of a text that was made here, and so is one.</summary>
    public static Reference Reference(string text) =>
        Oci.Reference.TryParse(text, out var reference)
            ? reference
            : throw new ArgumentException($"'{text}' names no image", nameof(text));

    /// <summary>An argument of a command that takes one.</summary>
    /// <param name="repositories">Whether a repository alone will do.</param>
    public static Argument<string> Argument(bool repositories = false)
    {
        var form = repositories ? "repository[:tag|@digest]" : "repository:tag|repository@digest";
        var argument = new Argument<string>(form)
        {
            Description =
                $"An image, such as demo/web:latest; its digest may be shortened, an official repository has one part{(repositories ? "; or a repository" : "")}",
        };
        argument.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (Parse(given) is not { } name || (name.IsRepository && !repositories))
            {
                result.AddError(
                    $"'{given}' is no image: use <namespace>/<app>:<tag> or <namespace>/<app>@sha256:<hex>"
                );
            }
        });
        return argument;
    }

    /// <summary>The image.</summary>
    /// <exception cref="LocalException">There is none, or several begin like that.</exception>
    public async Task<StoredImage> FindAsync(StoredImages images, CancellationToken cancellationToken)
    {
        var text = Tag is null ? $"{Repository}@{DigestStart}" : $"{Repository}:{Tag}";
        if (Oci.Reference.TryParse(text, out var reference))
        {
            return await images.FindAsync(reference, cancellationToken)
                ?? throw new LocalException($"There is no image {text}.{await OthersAsync(images, cancellationToken)}");
        }

        var found = (await images.ListAsync(Repository.Namespace, Repository.App, cancellationToken))
            .Where(image => image.Digest.ToString().StartsWith(DigestStart!, StringComparison.Ordinal))
            .ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new LocalException(
                $"No image of {Repository.DisplayName} has a digest that begins {DigestStart}."
            ),
            _ => throw new LocalException(
                $"{found.Count} images of {Repository.DisplayName} have a digest that begins {DigestStart}: type more of it."
            ),
        };
    }

    private async Task<string> OthersAsync(StoredImages images, CancellationToken cancellationToken)
    {
        var all = await images.ListAsync(Repository.Namespace, Repository.App, cancellationToken);
        var tags = all.SelectMany(image => image.Tags).ToList();
        return all.Count == 0 ? $" The repository {Repository.DisplayName} has none."
            : Tag is not null && Suggestions.For(Tag, tags) is { } near
                ? $" Did you mean {Repository.DisplayName}:{near}?"
            : tags.Count > 0 ? $" Tags of {Repository.DisplayName}: {Values.Text(tags)}."
            : "";
    }

    private static bool IsDigestStart(string text) =>
        Digest.TryParse(text, out _)
        || (WithAlgorithm(text) is { } whole && whole.Length >= "sha256:".Length + MinDigest && whole.Length <= 71);

    // With the algorithm that nearly all have, where only hexadecimal digits were typed.
    private static string? WithAlgorithm(string text)
    {
        var hex = text.StartsWith("sha256:", StringComparison.Ordinal) ? text["sha256:".Length..] : text;
        return Digest.TryParse(text, out _) ? text
            : hex.All(char.IsAsciiHexDigitLower) ? $"sha256:{hex}"
            : null;
    }
}
