using System.Text;
using CsCheck;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Tests.Listing;

public sealed class NamespaceListTests
{
    private static readonly Digest[] Digests =
    [
        .. Enumerable.Range(0, 400).Select(i => Digest.Sha256(BitConverter.GetBytes(i))),
    ];
    private static readonly string[] Apps = ["a", "a-b", "a.b", "a/b", "ab", "b"];

    private static readonly Gen<(string App, int Digest, int Kind)> AnyChange = Gen.Select(
        Gen.Int[0, Apps.Length - 1].Select(i => Apps[i]),
        Gen.Int[0, Digests.Length - 1],
        Gen.Int[0, 4]
    );

    /// <summary>Whatever is put in and taken out, in whatever portions: it reads, finds, counts and cuts as a sorted dictionary does.</summary>
    [Fact]
    public void It_is_a_sorted_dictionary_that_shares_what_did_not_change() =>
        Gen.Select(AnyChange.Array[0, 900].Array[1, 6], AnyChange, Gen.Bool)
            .Sample(
                (commits, place, tagged) =>
                {
                    var expected = new SortedDictionary<string, ListedImage>(StringComparer.Ordinal);
                    var list = commits.Aggregate(NamespaceList.Empty, (l, commit) => Committed(l, commit, expected));

                    var after = Keys.Image(place.App, Digests[place.Digest]);
                    foreach (var range in (KeyRange[])[Keys.All('i'), Keys.OfApp('i', place.App), new(after, "j")])
                    {
                        ReadsAs(expected, list, range, after, tagged);
                    }

                    Assert.Equal(expected.GetValueOrDefault(after), list.Find(after));
                    Assert.Equal(expected.Count, list.Count);
                    Assert.All(list.Chunks, c => Assert.InRange(c.Images.Length, 1, ListChunk.MaxImages));
                    Assert.InRange(list.Chunks.Length, 0, 8 + (8 * list.Count / ListChunk.MaxImages));
                },
                iter: 150,
                threads: 1
            );

    // The list with one commit more; the one before stays as it was.
    private static NamespaceList Committed(
        NamespaceList list,
        (string App, int Digest, int Kind)[] commit,
        SortedDictionary<string, ListedImage> expected
    )
    {
        var before = list.In(Keys.All('i'), "", tagged: false).ToList();
        var changes = new SortedDictionary<string, ListedImage?>(StringComparer.Ordinal);
        foreach (var (app, digest, kind) in commit)
        {
            var image = kind == 0 ? null : Image(app, digest, tags: kind % 2);
            var key = Keys.Image(app, Digests[digest]);
            changes[key] = image;
            expected.Remove(key);
            if (image is not null)
            {
                expected.Add(key, image);
            }
        }

        var next = list.With(list.Seq + 1, changes);
        Assert.Equal(before, list.In(Keys.All('i'), "", tagged: false));
        return next;
    }

    private static void ReadsAs(
        SortedDictionary<string, ListedImage> expected,
        NamespaceList list,
        KeyRange range,
        string after,
        bool tagged
    )
    {
        var wanted = expected.Values.Where(i => range.Contains(i.Key) && (!tagged || i.Tags.Count > 0)).ToList();
        Assert.Equal(wanted, list.In(range, "", tagged));
        Assert.Equal(wanted.Where(i => string.CompareOrdinal(i.Key, after) > 0), list.In(range, after, tagged));
        Assert.Equal(
            new ListSum(wanted.Count, wanted.Aggregate(default(UInt128), (h, i) => unchecked(h + i.Hash))),
            list.Sum(range, tagged)
        );
    }

    [Fact]
    public void Its_hash_tells_tags_and_facts_apart()
    {
        ListedImage[] images =
        [
            Image("a", 1, 0),
            Image("a", 1, 1),
            Image("b", 1, 1),
            Image("a", 2, 1),
            Image("a", 1, 1, "other args"),
        ];

        Assert.Equal(images.Length, images.Select(i => i.Hash).Distinct().Count());
        Assert.Equal(Image("a", 1, 1).Hash, Image("a", 1, 1).Hash);
    }

    /// <summary>What a chunk keeps is what its images write one by one, and one image that is not whole keeps it from that.</summary>
    [Fact]
    public async Task The_text_of_a_chunk_is_that_of_its_images_with_commas_between()
    {
        var images = Enumerable.Range(0, 700).Select(i => Image("a", i % 400, i % 3, $"args {i}")).ToList();
        foreach (var chunk in ListChunk.Of(images))
        {
            using var one = new MemoryStream();
            foreach (var image in chunk.Images)
            {
                one.Write(one.Length > 0 ? ","u8 : default);
                one.Write(await TextAsync(image));
            }

            Assert.Equal(Encoding.UTF8.GetString(one.ToArray()), Encoding.UTF8.GetString(chunk.V1Text()!));
            Assert.InRange(chunk.Bytes, chunk.V1Text()!.Length, long.MaxValue);
        }

        var withoutFacts = new ListedImage("alice", images[0].Row, texts: null, []);
        Assert.Null(Assert.Single(ListChunk.Of([images[1], withoutFacts])).V1Text());
    }

    private static async Task<byte[]> TextAsync(ListedImage image)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        using (var buffer = new ResponseBuffer(context.Response))
        {
            await image.WriteV1Async(buffer, TestContext.Current.CancellationToken);
            await buffer.EndAsync(TestContext.Current.CancellationToken);
        }

        return body.ToArray();
    }

    private static ListedImage Image(string app, int digest, int tags, string args = "")
    {
        var row = new ImageRow(app, Digests[digest])
        {
            MediaType = MediaTypes.OciManifest,
            Size = 1,
            IsImage = true,
            Generation = "1",
            Facts = new ImageFacts { Args = [args] },
        };
        return new ListedImage("alice", row, ImageTexts.Of(row), [.. Enumerable.Range(0, tags).Select(t => $"t{t}")]);
    }
}
