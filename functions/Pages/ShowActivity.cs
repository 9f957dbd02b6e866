using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>A change.</summary>
/// <param name="At">When; null where that is not known.</param>
/// <param name="What">What happened.</param>
/// <param name="Repository">Where.</param>
/// <param name="Subject">The image or tag; null where it is neither.</param>
/// <param name="Target">What a tag names now; null where it is none.</param>
/// <param name="By">Who did it; null where nobody is known.</param>
public sealed record ActivityLine(
    DateTimeOffset? At,
    string What,
    NamedPath Repository,
    NamedPath? Subject,
    NamedPath? Target,
    AuthorLine? By
);

/// <summary>The last changes.</summary>
/// <param name="Lines">They, the newest first.</param>
/// <param name="Now">The time of the page.</param>
public sealed record ActivityView(IReadOnlyList<ActivityLine> Lines, DateTimeOffset Now);

/// <summary><c>/browse/activity</c>: the last commits of the account.</summary>
internal static class ShowActivity
{
    private const int Max = 100;

    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        var services = request.Http.RequestServices;
        var access = request.Viewer.Access;
        var items = await services.GetRequiredService<RecentCommits>().ReadAsync(access, Max, request.Stop);
        await request.WriteAsync<ActivityPage>(
            new ActivityView(
                [.. items.Select(item => Line(item, request.Viewer))],
                services.GetRequiredService<StorageClock>().UtcNow
            )
        );
    }

    private static ActivityLine Line(ActivityItem item, Viewer viewer)
    {
        if (!Repository.TryParse($"{viewer.Account}/{item.App}", out var repository))
        {
            throw new InvalidOperationException($"'{item.App}' in a row is no app");
        }

        var isGone = item.Kind is ActivityKind.Removed or ActivityKind.Untagged or ActivityKind.TagWaiting;
        var isTag = item.Kind is ActivityKind.Tagged or ActivityKind.Untagged or ActivityKind.TagWaiting;
        return new ActivityLine(
            item.At,
            Text(item.Kind),
            NamedPath.Of(repository),
            item.Name.Length == 0
                ? null
                : new NamedPath(
                    isTag ? item.Name : Texts.Short(item.Name),
                    isGone ? ""
                        : isTag ? BrowsePaths.OfTag(repository, item.Name)
                        : BrowsePaths.Of(repository, item.Name)
                ),
            item.Digest.Length == 0
                ? null
                : new NamedPath(Texts.Short(item.Digest), isGone ? "" : BrowsePaths.Of(repository, item.Digest)),
            AuthorLine.Of(viewer, viewer.Account, item.By)
        );
    }

    private static string Text(ActivityKind kind) =>
        kind switch
        {
            ActivityKind.Stored => "Stored",
            ActivityKind.Changed => "Changed",
            ActivityKind.Hidden => "Hidden until it is repaired",
            ActivityKind.Waiting => "Waits for what it names",
            ActivityKind.Removed => "Removed",
            ActivityKind.Tagged => "Tag set",
            ActivityKind.TagWaiting => "Tag waits for its image",
            ActivityKind.Untagged => "Tag removed",
            _ => "index.json applied",
        };
}
