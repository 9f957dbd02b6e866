using ImagesFunctions.Oci;

namespace ImagesFunctions.Policy;

/// <summary>A rule: tags of these names in these repositories stay what they are, once they are there.</summary>
/// <param name="Repositories">Patterns of apps; at least one.</param>
/// <param name="Tags">Patterns of tags; at least one.</param>
public sealed record ImmutableTags(IReadOnlyList<RepositoryPattern> Repositories, IReadOnlyList<TagPattern> Tags)
{
    /// <summary>Whether it may be about a tag of an app.</summary>
    public bool IsAbout(string app) => Repositories.Any(p => p.Matches(app));

    /// <summary>Whether it is about a tag.</summary>
    public bool IsAbout(string app, string tag) => IsAbout(app) && Tags.Any(p => p.Matches(tag));

    /// <summary>The rule in words, for who is refused because of it.</summary>
    public override string ToString() =>
        $"immutable: repositories {string.Join(", ", Repositories)}; tags {string.Join(", ", Tags)}";
}
