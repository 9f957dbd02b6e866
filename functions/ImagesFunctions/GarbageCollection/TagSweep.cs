using System.Runtime.CompilerServices;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Reads the rows of tags, and removes those that lead nowhere.</summary>
internal sealed class TagSweep(SweepRun run, Survey survey, RowGarbage garbage)
{
    public Task RunAsync(CancellationToken cancellationToken) =>
        run.InBatchesAsync(
            SuspectsAsync(cancellationToken),
            garbage.RemoveTagsAsync,
            SweepKind.Tags,
            cancellationToken
        );

    private async IAsyncEnumerable<string> SuspectsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('t').WithCancellation(cancellationToken))
        {
            var tag = TagRow.From(row);
            var image = Fingerprint.Of(tag.App, tag.Digest);
            if (tag.Generation is null)
            {
                survey.Tagged.Add(image);
                survey.Awaited.Add(Fingerprint.Of(tag.App, $"{tag.Digest}!{tag.Tag}"));
                if (survey.IsLive(image))
                {
                    // Its image is there: the process that committed it was killed before the last of its tags.
                    await run.LandedAsync(run.PathOf(tag.App, tag.Digest), kind: null, cancellationToken);
                }
                else if (!run.Age.IsYoung(row.Timestamp, pushed: false))
                {
                    yield return row.Key;
                }
            }
            else if (survey.IsLive(image) && survey.Images[image].Generation == tag.Generation)
            {
                survey.Tagged.Add(image);
                survey.Usage.Of(tag.App).Tags += survey.Images[image].State == ImageState.Complete ? 1 : 0;
            }
            else
            {
                yield return row.Key;
            }
        }
    }
}
