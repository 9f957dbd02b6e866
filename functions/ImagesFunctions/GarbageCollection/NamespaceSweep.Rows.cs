using System.Runtime.CompilerServices;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

// What is read of rows, and done about those of images, tags, referrers, refusals and layouts.
internal sealed partial class NamespaceSweep
{
    private async Task ReadImagesAsync(CancellationToken cancellationToken)
    {
        await foreach (
            var row in StreamAsync('i', ["app", "digest", "state", "generation"]).WithCancellation(cancellationToken)
        )
        {
            var image = Image(row);
            _images[Print(image.App, image.Digest)] = (image.State, image.Generation);
            if (image.State is ImageState.Deleted or ImageState.Waiting)
            {
                _indexes.Add((RepositoryOf(image.App), image.Digest));
            }
            else if (image.State == ImageState.Hidden)
            {
                // What it misses may have come, and whoever brought it may have been killed.
                await LandedAsync(LayoutPath.Of(RepositoryOf(image.App), image.Digest), null, cancellationToken);
            }
        }

        // Without its facts, which are long.
        static (string App, Digest Digest, ImageState State, string Generation) Image(TableRow row) =>
            (
                row.Text("app"),
                ImageRow.Parse(row.Text("digest")),
                Enum.TryParse<ImageState>(row.GetString("state"), ignoreCase: true, out var state)
                    ? state
                    : ImageState.Complete,
                row.Text("generation")
            );
    }

    private Task SweepTagsAsync(CancellationToken cancellationToken) =>
        InBatchesAsync(SuspectTagsAsync(cancellationToken), garbage.TagsAsync, SweepKind.Tags, cancellationToken);

    private async IAsyncEnumerable<string> SuspectTagsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var row in StreamAsync('t').WithCancellation(cancellationToken))
        {
            var tag = TagRow.From(row);
            var print = Print(tag.App, tag.Digest);
            if (tag.Generation is null)
            {
                _tagged.Add(print);
                _awaited.Add(Print(tag.App, $"{tag.Digest}!{tag.Tag}"));
                if (IsLive(print))
                {
                    // Its image is there: whoever committed it was killed before the last of its tags.
                    await LandedAsync(LayoutPath.Of(RepositoryOf(tag.App), tag.Digest), null, cancellationToken);
                }
                else if (!age.IsYoung(row.Timestamp, pushed: false))
                {
                    yield return row.Key;
                }
            }
            else if (IsLive(print) && _images[print].Generation == tag.Generation)
            {
                _tagged.Add(print);
            }
            else
            {
                yield return row.Key;
            }
        }
    }

    private async Task ReadBlobsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in StreamAsync('b').WithCancellation(cancellationToken))
        {
            var blob = BlobRow.From(row);
            _blobs[Print(blob.App, blob.Digest)] = new SeenBlob(
                Print(blob.BlobETag),
                blob.State,
                age.IsYoung(row.Timestamp, blob.Pushed)
            );
        }
    }

    private async Task ReadLayoutsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in StreamAsync('j').WithCancellation(cancellationToken))
        {
            if (row.GetString("app") is { } app && row.GetString("etag") is { } etag)
            {
                _layouts[app] = etag;
            }
        }
    }

    private async Task SweepRefusalsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in StreamAsync('x').WithCancellation(cancellationToken))
        {
            var refused = RefusedRow.From(row);
            if (refused.IsFailure)
            {
                await LandedAsync(refused.Path, SweepKind.Events, cancellationToken);
            }
            else
            {
                _refused[Print(refused.Path)] = (row.Timestamp ?? default, refused.ActualDigest is not null);
                if (refused.Expires <= age.Now)
                {
                    await DropRowAsync(row, SweepKind.Refusals, cancellationToken);
                }
            }
        }
    }

    private Task SweepReferrersAsync(CancellationToken cancellationToken) =>
        InBatchesAsync(
            StreamAsync('r')
                .Where(row => ReferrerRow.From(row) is var r && !IsLive(Print(r.App, r.Digest)))
                .Select(row => row.Key),
            garbage.ReferrersAsync,
            SweepKind.Referrers,
            cancellationToken
        );

    // Rows of blobs of which the list of the container said nothing.
    private async Task FindGoneAsync(CancellationToken cancellationToken)
    {
        if (_blobs.Count == 0)
        {
            return;
        }

        await foreach (var row in StreamAsync('b', ["app", "digest"]).WithCancellation(cancellationToken))
        {
            var app = row.Text("app");
            var digest = ImageRow.Parse(row.Text("digest"));
            if (_blobs.TryGetValue(Print(app, digest), out var blob))
            {
                await LandedAsync(LayoutPath.Of(RepositoryOf(app), digest), KindOf(blob), cancellationToken);
            }
        }
    }

    private async Task SweepLayoutsAsync(CancellationToken cancellationToken)
    {
        foreach (var app in _layouts.Keys)
        {
            if (await TryAsync(() => garbage.LayoutAsync(RepositoryOf(app), cancellationToken)) > 0)
            {
                counts.Add(SweepKind.Layouts);
            }
        }
    }
}
