using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>An image that lists show.</summary>
/// <param name="Row">Its row, without its facts.</param>
/// <param name="Facts">What was kept of its facts; null where those do not stand in the row.</param>
/// <param name="TagRows">The rows of its tags, in the ordinal order of the tags.</param>
internal sealed record ListedRow<T>(ImageRow Row, T? Facts, IReadOnlyList<TagRow> TagRows)
    where T : class
{
    /// <summary>Its tags in ordinal order.</summary>
    public IReadOnlyList<string> Tags { get; } = [.. TagRows.Select(t => t.Tag)];

    /// <summary>When each of its tags was set, and by whom, in the order of the tags; null where no row says so.</summary>
    public IReadOnlyList<TagPush?>? Pushes { get; } =
        TagRows.Any(t => t.Pushed is not null) ? [.. TagRows.Select(t => t.Pushed)] : null;
}
