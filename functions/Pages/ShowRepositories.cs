using ImagesFunctions.Listing;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse</c>: the repositories.</summary>
internal static class ShowRepositories
{
    private const int MaxSearch = 255;

    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        var services = request.Http.RequestServices;
        var search = request.Query("q") is { Length: <= MaxSearch } text ? text.ToLowerInvariant() : "";
        var sort = RepositoriesView.Sorts.Select(s => s.Name).FirstOrDefault(s => s == request.Query("sort"), "name");
        var all = await services
            .GetRequiredService<RepositorySummaries>()
            .ReadAsync(request.Viewer.Access, request.Stop);
        var found = all.Where(s => s.Name.Contains(search, StringComparison.Ordinal)).ToList();
        var paging = new Paging(
            BrowseRoutes.Root,
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["q"] = search,
                ["sort"] = sort == "name" ? "" : sort,
            },
            request.PageNumber,
            found.Count
        );
        var now = services.GetRequiredService<StorageClock>().UtcNow;
        var lines = new List<RepositoryLine>();
        await foreach (
            var (_, line) in paging
                .Take(Sorted(found, sort))
                .ReadEachAsync(s => LineAsync(services, s, now, request.Stop))
        )
        {
            lines.Add(line);
        }

        await request.WriteAsync<RepositoriesPage>(
            new RepositoriesView(search, sort, all.Count == 0, lines, paging, now)
        );
    }

    private static IEnumerable<RepositorySummary> Sorted(IEnumerable<RepositorySummary> found, string sort) =>
        sort switch
        {
            "newest" => found.OrderByDescending(s => s.Newest.Row.Committed),
            "size" => found.OrderByDescending(s => s.Newest.Row.Size),
            "images" => found.OrderByDescending(s => s.Images),
            _ => found,
        };

    private static async Task<RepositoryLine> LineAsync(
        IServiceProvider services,
        RepositorySummary summary,
        DateTimeOffset now,
        CancellationToken stop
    )
    {
        var (repository, newest) = (summary.Repository, summary.Newest);
        var digest = newest.Row.Digest;
        var platforms = services
            .GetRequiredService<StoredManifests>()
            .PlatformsAsync(repository, digest, newest.Row.MediaType, stop);
        var isSigned = IsSignedAsync(services, summary, stop);
        await Task.WhenAll(platforms, isSigned);
        return new RepositoryLine(
            summary.Name,
            BrowsePaths.Of(repository),
            repository.Namespace == Oci.Repository.Official,
            newest.Tags.Count > 0 ? newest.Tags[0] : Texts.Short(digest.ToString()),
            BrowsePaths.Of(repository, digest.ToString()),
            newest.Row.Committed,
            summary.Images,
            summary.Tags,
            newest.Row.Size,
            [.. (await platforms).Select(Texts.Platform)],
            await isSigned,
            summary.Pins.Any(p => p.HoldsAt(now))
        );
    }

    private static async Task<bool> IsSignedAsync(
        IServiceProvider services,
        RepositorySummary summary,
        CancellationToken stop
    )
    {
        summary.Signed ??= Task.FromResult(
            await services
                .GetRequiredService<ReferrerReads>()
                .IsSignedAsync(summary.Repository, summary.Newest.Row.Digest, summary.Names, stop)
        );
        return await summary.Signed;
    }
}
