using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/image/…</c>: an image, an index or another manifest, by tag or digest.</summary>
internal static class ShowImage
{
    private const int MaxTags = 100;
    private const int MaxReferrers = 100;

    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        var (reference, row) = await FindAsync(request);
        var services = request.Http.RequestServices;
        var (repository, digest) = (reference.Repository, row.Digest.ToString());
        var facts = FactsAsync(services, repository, row, request.Stop);
        var referrers = ReferrersAsync(services, repository, row.Digest, request.Stop);
        var content = ReadContent.OfAsync(services, repository, row, request.Stop);
        var listed = ListedAsync(services, repository, row.Digest, request.Stop);
        var pulled = LastPull.OfAsync(request, repository, row.Digest);
        await Task.WhenAll(facts, referrers, content, listed, pulled);
        var (known, now) = (await facts, services.GetRequiredService<StorageClock>().UtcNow);
        var names = (await listed)?.Tags ?? [];
        var push = reference.Tag is null ? null : (await listed)?.PushOf(reference.Tag);
        var tag = reference.Tag ?? (names.Count > 0 ? names[0] : null);
        await request.WriteAsync<ImagePage>(
            new ImageView
            {
                Repository = NamedPath.Of(repository),
                Name = reference.Tag ?? Texts.Short(digest),
                Kind = KindOf(row),
                Digest = digest,
                MediaType = row.MediaType,
                Size = row.Size,
                Pushed = row.Committed,
                PushedBy = AuthorLine.Of(request.Viewer, repository.Namespace, row.PushedBy),
                Tagged = push?.At,
                TaggedBy = AuthorLine.Of(request.Viewer, repository.Namespace, push?.By),
                Pulled = await pulled,
                Created = known.Created ?? "",
                IsPinned = row.Pin?.HoldsAt(now) == true,
                Tags = [.. names.Take(MaxTags).Select(t => new NamedPath(t, BrowsePaths.OfTag(repository, t)))],
                Subject = row.Subject is { } subject
                    ? new NamedPath(subject.ToString(), BrowsePaths.Of(repository, subject.ToString()))
                    : null,
                Commands = CommandLines.Of(request.Http, repository, tag, digest, IsUnikernel(known)),
                Parts = SizeParts.Of(known, row.Size),
                Args = known.Args,
                KernelArgs = known.KernelArgs,
                Env = known.Env,
                Labels = [.. known.Labels.OrderBy(l => l.Key, StringComparer.Ordinal)],
                Content = await content,
                Referrers = await referrers,
                DeletePath = DeleteOf(request, repository, $"@{digest}"),
                DeleteTagPath = reference.Tag is null ? "" : DeleteOf(request, repository, $":{reference.Tag}"),
                Now = now,
            }
        );
    }

    private static string DeleteOf(PageRequest request, Repository repository, string what) =>
        request.Viewer.Access.May(Rights.Delete, repository) ? BrowsePaths.Delete(repository.DisplayName + what) : "";

    /// <summary>The complete manifest that the path names.</summary>
    /// <exception cref="PageException">404: there is none, or the viewer may not see it.</exception>
    public static async Task<(Reference Reference, ImageRow Row)> FindAsync(PageRequest request)
    {
        // Decided by the name: of what the viewer may not see nothing is read.
        if (
            !Reference.TryParse(request.Rest, out var reference)
            || !request.Viewer.Access.MayRead(reference.Repository)
            || reference.Digest is { IsSupported: false }
        )
        {
            throw PageException.NotFound();
        }

        var rowStore = request.Http.RequestServices.GetRequiredService<RowStore>();
        var row = reference.Tag is { } tag
            ? await rowStore.TaggedImageAsync(reference.Repository, tag, request.Stop)
            : await rowStore.ImageAsync(reference.Repository, reference.Digest!, request.Stop);
        return row is { State: ImageState.Complete } ? (reference, row) : throw PageException.NotFound();
    }

    private static async Task<ListedImage?> ListedAsync(
        IServiceProvider services,
        Repository repository,
        Digest digest,
        CancellationToken stop
    )
    {
        var lists = services.GetRequiredService<NamespaceLists>();
        var list = await lists.CurrentAsync(repository.Namespace, repository.App, stop);
        return list.Find(Keys.Image(repository.App, digest));
    }

    private static string KindOf(ImageRow row) =>
        !row.IsImage ? $"Not an image: {ImageNote.WhyNot(row)}"
        : MediaTypes.IsIndex(row.MediaType) ? "Image for several platforms"
        : "Image";

    private static bool IsUnikernel(ImageFacts facts) => facts.Components.Any(c => c.Role == ComponentRole.Kernel);

    private static async Task<ImageFacts> FactsAsync(
        IServiceProvider services,
        Repository repository,
        ImageRow row,
        CancellationToken stop
    )
    {
        var imageRows = services.GetRequiredService<ImageRows>();
        try
        {
            return (await imageRows.WithAllFactsAsync(repository.Namespace, row, stop)).Facts;
        }
        catch (StorageHeldException)
        {
            // Its config is archived: what lists show is in the row.
            return (await imageRows.WithFactsAsync(repository.Namespace, row, stop)).Facts;
        }
    }

    private static async Task<IReadOnlyList<ReferrerLine>> ReferrersAsync(
        IServiceProvider services,
        Repository repository,
        Digest digest,
        CancellationToken stop
    ) =>
        await services
            .GetRequiredService<ReferrerReads>()
            .OfAsync(repository, digest, "", stop)
            .Take(MaxReferrers)
            .Select(r => new ReferrerLine(
                ReferrerReads.KindOf(r) switch
                {
                    ArtifactKind.Signature => "Signature",
                    ArtifactKind.Sbom => "SBOM",
                    ArtifactKind.Attestation => "Attestation",
                    _ => "Artifact",
                },
                r.ArtifactType ?? "",
                r.Digest.ToString(),
                BrowsePaths.Of(repository, r.Digest.ToString())
            ))
            .ToListAsync(stop);
}
