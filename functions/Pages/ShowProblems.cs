using ImagesFunctions.Images;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/problems</c>: what <c>/v1/images/problems</c> says.</summary>
internal static class ShowProblems
{
    private const int Max = 200;
    private const int MaxTags = 20;

    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        var services = request.Http.RequestServices;
        var access = request.Viewer.Access;
        var all = new ProblemsQuery().Of(
            access,
            await services.GetRequiredService<StatusReader>().ProblemsAsync(access.Account, request.Stop)
        );
        var tags = all.PendingTags.ToLookup(t => (t.Repository, t.Digest), t => t.Tag);
        await request.WriteAsync<ProblemsPage>(
            new ProblemsView(
                [
                    .. all
                        .Waiting.Take(Max)
                        .Select(w => new WaitingLine(
                            NamedPath.OfName(w.Repository),
                            w.Manifest,
                            [.. w.Missing.Take(Max)],
                            [.. tags[(w.Repository, w.Manifest)].Order(StringComparer.Ordinal).Take(MaxTags)]
                        )),
                ],
                [.. all.Refused.Take(Max).Select(r => new RefusedLine(r.Path, r.Reason, r.State == "failed", r.At))],
                [.. all.Notes.Take(Max).Select(Note)],
                Left(all.Waiting.Count) + Left(all.Refused.Count) + Left(all.Notes.Count),
                services.GetRequiredService<StorageClock>().UtcNow
            )
        );
    }

    private static int Left(int count) => Math.Max(0, count - Max);

    private static NoteLine Note(ImageNote note) =>
        new(
            note.Kind switch
            {
                ImageNote.NotImage => "In the registry, and in no list",
                ImageNote.LeftOut => "Listed without a part of its config",
                _ => "Deleted, and dropped again",
            },
            new NamedPath(
                note.Manifest,
                note.Kind != ImageNote.Deleted && Repository.TryParse(note.Repository, out var repository)
                    ? BrowsePaths.Of(repository, note.Manifest)
                    : ""
            ),
            NamedPath.OfName(note.Repository),
            note.Reason,
            [.. note.Tags.Take(MaxTags)]
        );
}
