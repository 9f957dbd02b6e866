using CsCheck;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Listing;

public sealed class ListedRowsTests
{
    private static readonly Digest[] Digests = [.. Enumerable.Range(0, 7).Select(i => Digest.Sha256([(byte)i]))];

    // A digest names only ones before it, as hashes do: there is no circle.
    private static readonly Gen<(int Image, ImageRow? Row)> AnyImage = Gen.Select(
        Gen.Int[0, Digests.Length - 1],
        Gen.Int[0, 5],
        Gen.Int[0, 1 << Digests.Length],
        Gen.Int[1, 2],
        (image, state, children, generation) =>
            (
                image,
                state == 5
                    ? null
                    : new ImageRow("app", Digests[image])
                    {
                        MediaType = children == 0 ? MediaTypes.OciManifest : MediaTypes.OciIndex,
                        Size = 1,
                        IsImage = state != 4,
                        Generation = $"{generation}",
                        State = (ImageState)Math.Min(state, 3),
                        Children =
                        [
                            .. Digests.Take(image).Where((_, i) => (children & (1 << i)) != 0).Select(d => $"{d}"),
                        ],
                    }
            )
    );

    private static readonly Gen<(int Tag, TagRow? Row)> AnyTag = Gen.Select(
        Gen.Int[0, 3],
        Gen.Int[-2, Digests.Length - 1],
        Gen.Int[0, 2],
        (tag, image, generation) =>
            (
                tag,
                image < 0
                    ? null
                    : new TagRow("app", $"t{tag}", Digests[image], generation == 0 ? null : $"{generation}", false)
            )
    );

    /// <summary>Whatever commits write, in whatever order: what is kept up commit by commit is what all rows say at once.</summary>
    [Fact]
    public void Commit_by_commit_it_comes_to_what_all_rows_say_at_once() =>
        Gen.Select(AnyImage.Array[0, 3], AnyTag.Array[0, 2])
            .Array[1, 25]
            .Sample(
                commits =>
                {
                    var rows = new NamespaceRows();
                    var listed = new ListedRows<object>(_ => new object());
                    var shown = new SortedDictionary<string, string>(StringComparer.Ordinal);
                    foreach (var (images, tags) in commits)
                    {
                        var changedImages = Last(images, i => Keys.Image("app", Digests[i.Image]), i => i.Row);
                        var changedTags = Last(tags, t => Keys.Tag("app", $"t{t.Tag}"), t => t.Row);
                        foreach (var (key, row) in changedImages)
                        {
                            rows.Apply(key, row?.ToRow());
                        }

                        foreach (var (key, row) in changedTags)
                        {
                            rows.Apply(key, row?.ToRow());
                        }

                        foreach (var (key, row) in listed.Apply(changedImages, changedTags))
                        {
                            shown.Remove(key);
                            if (row is not null)
                            {
                                shown.Add(key, Text(row.Row, row.Tags));
                            }
                        }

                        Assert.Equal(rows.Listed().Select(i => Text(i.Row, i.Tags)), shown.Values);
                        Assert.Equal(Tags(rows), listed.Names.TagsAfter("app", ""));
                        Assert.Equal(Tags(rows).Where(t => t != "t0"), listed.Names.TagsAfter("app", "t0"));
                        Assert.Equal(rows.Images.Values.Any(IsComplete) ? ["app"] : [], listed.Names.AppsAfter(""));
                    }

                    var scanned = new ListedRows<object>(_ => new object()).Apply(rows);
                    Assert.Equal(
                        shown.Values,
                        scanned.Values.OfType<ListedRow<object>>().Select(r => Text(r.Row, r.Tags))
                    );
                },
                iter: 3_000,
                threads: 1
            );

    private static bool IsComplete(ImageRow row) => row.State == ImageState.Complete;

    // Those that can be pulled.
    private static IEnumerable<string> Tags(NamespaceRows rows) =>
        rows
            .Tags.Values.Where(t =>
                rows.Images.GetValueOrDefault(Keys.Image(t.App, t.Digest)) is { } image
                && IsComplete(image)
                && image.Generation == t.Generation
            )
            .Select(t => t.Tag);

    [Fact]
    public void What_it_takes_goes_when_the_rows_go()
    {
        var listed = new ListedRows<object>(_ => new object());
        var empty = listed.Bytes;
        var image = new ImageRow("app", Digests[1])
        {
            MediaType = MediaTypes.OciIndex,
            Size = 1,
            IsImage = true,
            Generation = "1",
            Children = [$"{Digests[0]}"],
        };
        var tag = new TagRow("app", "t", Digests[1], "1", false);
        var (images, tags) = (
            new Dictionary<string, ImageRow?>(StringComparer.Ordinal),
            new Dictionary<string, TagRow?>(StringComparer.Ordinal)
        );

        (images[image.Key], tags[tag.Key]) = (image, tag);
        listed.Apply(images, tags);
        Assert.True(listed.Bytes > empty + 1_000);
        (images[image.Key], tags[tag.Key]) = (null, null);
        listed.Apply(images, tags);

        Assert.Equal(empty, listed.Bytes);
    }

    private static Dictionary<string, TRow?> Last<T, TRow>(T[] all, Func<T, string> key, Func<T, TRow?> row)
        where TRow : class =>
        all.GroupBy(key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => row(g.Last()), StringComparer.Ordinal);

    private static string Text(ImageRow row, IEnumerable<string> tags) =>
        $"{row.Digest} {row.Generation} {string.Join(' ', tags)}";
}
