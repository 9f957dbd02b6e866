using ImagesFunctions.Policy;

namespace ImagesFunctions;

/// <summary>What the rules of an account would do, as rows are now.</summary>
/// <param name="Immutable">The tags that are there and could not be changed any more, as <c>app:tag</c>, in order.</param>
/// <param name="Going">The images that the next collection would remove, in the order of their repositories.</param>
/// <param name="Bytes">The bytes that become free with them. Blobs that came lately go when they are older.</param>
public sealed record RulesTrial(IReadOnlyList<string> Immutable, IReadOnlyList<RetiredImage> Going, long Bytes);
