using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/repository/…</c>: the images of a repository, with a tag or without.</summary>
internal static class ShowRepository
{
    /// <summary>The query parameter of a page that says that something was deleted.</summary>
    public const string Deleted = "deleted";

    private const int MaxTags = 20;
    private const int MaxOthers = 50;

    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        // Decided by the name: of what the viewer may not see nothing is read.
        if (
            !Repository.TryParseDisplayName(request.Rest, out var repository)
            || !request.Viewer.Access.MayRead(repository)
        )
        {
            throw PageException.NotFound();
        }

        var list = await request
            .Http.RequestServices.GetRequiredService<NamespaceLists>()
            .CurrentAsync(repository.Namespace, repository.App, request.Stop);
        var all = list.In(Keys.OfApp('i', repository.App), "", tagged: false).ToList();
        var isDeleted = request.Query(Deleted).Length > 0;
        if (all.Count == 0 && !list.Names.Apps.Contains(repository.App))
        {
            if (!isDeleted)
            {
                throw PageException.NotFound();
            }

            PageWriter.SeeOther(request.Http, BrowseRoutes.Root);
            return;
        }

        await ShowAsync(request, repository, list.Names, all, isDeleted);
    }

    private static async Task ShowAsync(
        PageRequest request,
        Repository repository,
        RegistryNames names,
        List<ListedImage> all,
        bool isDeleted
    )
    {
        var search = request.Query("q");
        var found = all.Where(i => IsFound(i, search)).OrderByDescending(i => i.Row.Committed).ToList();
        var path = BrowsePaths.Of(repository);
        var paging = new Paging(
            path,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["q"] = search },
            request.PageNumber,
            found.Count
        );
        var now = request.Http.RequestServices.GetRequiredService<StorageClock>().UtcNow;
        await request.WriteAsync<RepositoryPage>(
            new RepositoryView(
                repository.DisplayName,
                path,
                repository.Namespace == Repository.Official,
                search,
                await LinesAsync(request, repository, names, paging.Take(found), now),
                paging,
                Commands(request, repository, all),
                [.. Others(repository, names, all).Take(MaxOthers)],
                isDeleted,
                now
            )
        );
    }

    private static bool IsFound(ListedImage image, string search) =>
        search.Length == 0
        || image.Row.Digest.ToString().Contains(search, StringComparison.Ordinal)
        || image.Tags.Any(tag => tag.Contains(search, StringComparison.OrdinalIgnoreCase));

    private static async Task<IReadOnlyList<ImageLine>> LinesAsync(
        PageRequest request,
        Repository repository,
        RegistryNames names,
        IEnumerable<ListedImage> images,
        DateTimeOffset now
    )
    {
        var services = request.Http.RequestServices;
        var (manifests, referrers) = (
            services.GetRequiredService<StoredManifests>(),
            services.GetRequiredService<ReferrerReads>()
        );
        var lines = new List<ImageLine>();
        await foreach (
            var (image, (platforms, isSigned, pulled)) in images.ReadEachAsync(async i =>
            {
                var of = manifests.PlatformsAsync(repository, i.Row.Digest, i.Row.MediaType, request.Stop);
                var signed = referrers.IsSignedAsync(repository, i.Row.Digest, names, request.Stop);
                var last = LastPull.OfAsync(request, repository, i.Row.Digest);
                await Task.WhenAll(of, signed, last);
                return (await of, await signed, await last);
            })
        )
        {
            lines.Add(
                new ImageLine(
                    image.Row.Digest.ToString(),
                    BrowsePaths.Of(repository, image.Row.Digest.ToString()),
                    [.. image.Tags.Take(MaxTags).Select(t => new NamedPath(t, BrowsePaths.OfTag(repository, t)))],
                    image.Tags.Count,
                    image.Row.Size,
                    [.. platforms.Select(Texts.Platform)],
                    image.Row.Committed,
                    AuthorLine.Of(request.Viewer, repository.Namespace, image.Row.PushedBy),
                    pulled,
                    isSigned,
                    image.Row.Pin?.HoldsAt(now) == true
                )
            );
        }

        return lines;
    }

    private static IReadOnlyList<CommandLine> Commands(
        PageRequest request,
        Repository repository,
        List<ListedImage> images
    )
    {
        var tagged = images.Where(i => i.Tags.Count > 0).DefaultIfEmpty().MaxBy(i => i?.Row.Committed);
        return tagged is null
            ? []
            : CommandLines.Of(
                request.Http,
                repository,
                tagged.HasTag("latest") ? "latest" : tagged.Tags[0],
                tagged.Row.Digest.ToString(),
                isUnikernel: false
            );
    }

    // What has a tag and is in no list.
    private static IEnumerable<NamedPath> Others(Repository repository, RegistryNames names, List<ListedImage> images)
    {
        var listed = images.SelectMany(i => i.Tags).ToHashSet(StringComparer.Ordinal);
        return names
            .TagsAfter(repository.App, "")
            .Where(tag => !listed.Contains(tag))
            .Select(tag => new NamedPath(tag, BrowsePaths.OfTag(repository, tag)));
    }
}
