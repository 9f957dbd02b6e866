using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>An image that lists show.</summary>
/// <param name="Row">Its row, without its facts.</param>
/// <param name="Facts">What was kept of its facts; null where those do not stand in the row.</param>
/// <param name="Tags">Its tags in ordinal order.</param>
internal sealed record ListedRow<T>(ImageRow Row, T? Facts, IReadOnlyList<string> Tags)
    where T : class;
