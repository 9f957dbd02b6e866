namespace ImagesFunctions.Pages;

/// <summary>What is asked before something is deleted.</summary>
/// <param name="Name">What would be deleted, with its repository.</param>
/// <param name="Back">The page that it is shown on.</param>
/// <param name="Action">Where the form goes.</param>
/// <param name="IsTag">Whether it is a tag, whose image stays.</param>
/// <param name="Obstacle">Why it cannot be deleted now; "" where it can.</param>
/// <param name="ObstaclePath">The page of what is in the way; "" where there is none.</param>
/// <param name="Tags">The tags that go too.</param>
/// <param name="Manifests">The manifests of platforms that go too.</param>
/// <param name="Blobs">How many layers and configs nothing else needs; null where that was not counted.</param>
/// <param name="Bytes">Their sizes together.</param>
/// <param name="Referrers">What refers to it, and stays.</param>
public sealed record DeleteView(
    string Name,
    string Back,
    string Action,
    bool IsTag,
    string Obstacle,
    string ObstaclePath,
    IReadOnlyList<string> Tags,
    IReadOnlyList<NamedPath> Manifests,
    int? Blobs,
    long Bytes,
    int Referrers
);
