using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>When images were pulled last, as far as the viewer is told: only of its own account.</summary>
internal static class LastPull
{
    /// <summary>The day (UTC); null where that is not known, where no rule counts pulls, and where the viewer is not told.</summary>
    public static Task<DateOnly?> OfAsync(PageRequest request, Repository repository, Digest image) =>
        request.Viewer.Access.Owns(repository)
            ? PullNotes.LastAsync(
                request.Http.RequestServices.GetRequiredService<RowStore>(),
                repository,
                image,
                request.Stop
            )
            : Task.FromResult<DateOnly?>(null);
}
