using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Faults.Interleaving;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Two processes on one namespace, of which the second runs while the first is held before one of its storage calls
/// (<see cref="Interleaving"/>). Whatever the order, the rows are those of some serial order.
/// </summary>
[TakesLong(seconds: 30)]
public sealed class Interleavings
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task A_delete_against_a_tag_move_leaves_no_tag_without_its_image()
    {
        var (layout, one, two) = Two();
        return EachAsync(
            layout,
            first: async node =>
                Assert.True((await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(two), Stop)).Found),
            second: node => node.Tagging.SetAsync(Node.Repository(Repo), "moves", Node.Digest(two), Stop),
            // Deleted first: the move found no image. Moved first: the tag went with the image.
            check: listed => Assert.Contains(listed, new[] { [$"web@{one} moves"], new[] { $"web@{one}" } })
        );
    }

    [ScheduleFact]
    public Task A_tag_move_against_a_delete_leaves_no_tag_without_its_image()
    {
        var (layout, one, two) = Two();
        return EachAsync(
            layout,
            first: node => node.Tagging.SetAsync(Node.Repository(Repo), "moves", Node.Digest(two), Stop),
            second: async node =>
                Assert.True((await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(two), Stop)).Found),
            check: listed => Assert.Contains(listed, new[] { [$"web@{one} moves"], new[] { $"web@{one}" } })
        );
    }

    [ScheduleFact]
    public Task An_overwrite_of_a_layer_against_the_commit_that_needs_it_lists_nothing_incomplete()
    {
        var layout = Layout.Small("one", "latest");
        var layer = layout.FirstLayer;
        return EachAsync(
            layout,
            prepare: node => node.PutAsync(Repo, layout),
            first: node => node.LandAsync(layout.Files.Keys.Select(p => $"{Repo}/{p}")),
            second: async node =>
            {
                await node.PutAsync($"{Repo}/{layer}", "other bytes"u8.ToArray());
                await node.LandAsync([$"{Repo}/{layer}"]);
            },
            check: Assert.Empty
        );
    }

    [ScheduleFact]
    public Task A_layer_that_heals_against_its_taking_back_ends_listed()
    {
        var layout = Layout.Small("one", "latest");
        var layer = layout.FirstLayer;
        return EachAsync(
            layout,
            prepare: async node =>
            {
                await node.PutAsync(Repo, layout);
                await node.StartAsync();
                await node.PutAsync($"{Repo}/{layer}", "other bytes"u8.ToArray());
            },
            first: node => node.LandAsync([$"{Repo}/{layer}"]),
            second: async node =>
            {
                await node.PutAsync(Repo, layout, layer);
                await node.LandAsync([$"{Repo}/{layer}"]);
            },
            check: listed => Assert.Equal([$"web@{layout.FirstImage} latest"], listed)
        );
    }

    [ScheduleFact]
    public Task An_event_that_comes_during_and_after_a_delete_brings_nothing_back()
    {
        var layout = Layout.Small("one", "latest");
        var events = layout.Files.Keys.Select(p => $"{Repo}/{p}").ToList();
        return EachAsync(
            layout,
            first: async node =>
                Assert.True(
                    (await node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(layout.FirstImage), Stop)).Found
                ),
            second: node => node.LandAsync(events),
            check: Assert.Empty
        );
    }

    [ScheduleFact]
    public Task Late_events_against_a_delete_bring_nothing_back()
    {
        var layout = Layout.Small("one", "latest");
        return EachAsync(
            layout,
            first: node => node.LandAsync(layout.Files.Keys.Select(p => $"{Repo}/{p}")),
            second: node => node.Removal.ImageAsync(Node.Repository(Repo), Node.Digest(layout.FirstImage), Stop),
            check: Assert.Empty
        );
    }

    [ScheduleFact]
    public async Task Two_versions_of_an_index_json_end_with_the_newer_one()
    {
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        var (untagged, newer) = (new Layout().Index(one, two), new Layout());
        layout.Index(Layout.Tagged(one, "moves"), Layout.Tagged(one, "old"));
        newer.Index(Layout.Tagged(two, "moves"), Layout.Tagged(two, "new"));
        string[] expected =
        [
            .. new[] { $"web@{Layout.Digest(one)}", $"web@{Layout.Digest(two)} moves new" }.Order(
                StringComparer.Ordinal
            ),
        ];
        await EachAsync(
            layout,
            prepare: async node =>
            {
                // Both are images already, whatever names them later.
                await node.PutAsync(Repo, layout);
                await node.PutAsync(Repo, untagged, "index.json");
                await node.StartAsync();
                await node.PutAsync(Repo, layout, "index.json");
            },
            first: node => node.LandAsync([$"{Repo}/index.json"]),
            second: async node =>
            {
                await node.PutAsync(Repo, newer, "index.json");
                await node.LandAsync([$"{Repo}/index.json"]);
            },
            check: listed => Assert.Equal(expected, listed)
        );
    }

    [ScheduleFact]
    public Task A_manifest_that_lands_against_the_index_json_that_tags_it_gets_its_tag()
    {
        var layout = Layout.Small("one", "latest", "v1");
        return EachAsync(
            layout,
            prepare: node => node.PutAsync(Repo, layout),
            first: node => node.LandAsync(layout.Files.Keys.Where(p => p != "index.json").Select(p => $"{Repo}/{p}")),
            second: node => node.LandAsync([$"{Repo}/index.json"]),
            check: listed => Assert.Equal([$"web@{layout.FirstImage} latest v1"], listed)
        );
    }

    [ScheduleFact]
    public Task An_index_json_against_the_manifest_that_it_tags_gives_it_its_tag()
    {
        var layout = Layout.Small("one", "latest", "v1");
        return EachAsync(
            layout,
            prepare: node => node.PutAsync(Repo, layout),
            first: node => node.LandAsync([$"{Repo}/index.json"]),
            second: node => node.LandAsync(layout.Files.Keys.Where(p => p != "index.json").Select(p => $"{Repo}/{p}")),
            check: listed => Assert.Equal([$"web@{layout.FirstImage} latest v1"], listed)
        );
    }

    [ScheduleFact]
    public Task A_taking_back_of_a_layer_against_the_commit_that_needs_it_lists_nothing_incomplete()
    {
        var layout = Layout.Small("one", "latest");
        var layer = layout.FirstLayer;
        return EachAsync(
            layout,
            prepare: async node =>
            {
                // The layer is verified, then it goes bad; its manifest lands while that is noticed.
                await node.PutAsync(Repo, layout);
                await node.LandAsync(
                    layout.Files.Keys.Where(p => p != Layout.PathOf(layout.FirstImage)).Select(p => $"{Repo}/{p}")
                );
                await node.PutAsync($"{Repo}/{layer}", "other bytes"u8.ToArray());
            },
            first: node => node.LandAsync([$"{Repo}/{layer}"]),
            second: node => node.LandAsync([$"{Repo}/{Layout.PathOf(layout.FirstImage)}"]),
            check: Assert.Empty,
            // Committed before the bad bytes are noticed, it is listed for that moment.
            between: false
        );
    }

    [ScheduleFact]
    public Task A_delete_of_a_layer_against_the_commit_that_needs_it_leaves_no_image_without_it()
    {
        var layout = Layout.Small("one", "latest");
        var layer = Node.Digest(Layout.Digest(layout.Read(layout.Manifests[0])["layers"]![0]!.AsObject()));
        return EachAsync(
            layout,
            prepare: async node =>
            {
                await node.PutAsync(Repo, layout);
                await node.LandAsync(
                    layout.Files.Keys.Where(p => p != Layout.PathOf(layout.FirstImage)).Select(p => $"{Repo}/{p}")
                );
            },
            first: node => node.Removal.BlobAsync(new BlobPath(Node.Repository(Repo), layer), Stop),
            second: node => node.LandAsync([$"{Repo}/{Layout.PathOf(layout.FirstImage)}"]),
            // Deleted first: the image waits. Committed first: the delete was refused.
            check: listed => Assert.InRange(listed.Length, 0, 1)
        );
    }

    /// <summary>Pinned first, the delete is refused; deleted first, there is nothing to pin.</summary>
    [ScheduleTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pin_and_a_delete_end_as_if_one_came_after_the_other(bool pinIsHeld)
    {
        var layout = Layout.Small("one", "latest");
        var (repository, digest) = (Node.Repository(Repo), Node.Digest(layout.FirstImage));
        var (isPinned, isDeleted) = (false, false);
        async Task PinAsync(Node node)
        {
            Assert.True(Reference.TryParse($"{Repo}:latest", out var reference));
            var pins = node.Services.GetRequiredService<Pins>();
            isPinned = await pins.PinAsync(reference, new ImagePin(DateTimeOffset.UnixEpoch, null), Stop) is not null;
        }

        async Task DeleteAsync(Node node) =>
            isDeleted = await node.Removal.ImageAsync(repository, digest, Stop) is { Found: true, IsPinned: false };

        await EachAsync(
            layout,
            first: pinIsHeld ? PinAsync : DeleteAsync,
            second: pinIsHeld ? DeleteAsync : PinAsync,
            check: listed =>
            {
                Assert.NotEqual(isPinned, isDeleted);
                Assert.Equal(isPinned ? [$"web@{layout.FirstImage} latest"] : [], listed);
            },
            every: 2
        );
    }

    [LongFact]
    public async Task Of_all_of_these_at_every_call()
    {
        await A_pin_and_a_delete_end_as_if_one_came_after_the_other(pinIsHeld: true);
        await A_pin_and_a_delete_end_as_if_one_came_after_the_other(pinIsHeld: false);
        await A_delete_against_a_tag_move_leaves_no_tag_without_its_image();
        await A_tag_move_against_a_delete_leaves_no_tag_without_its_image();
        await An_overwrite_of_a_layer_against_the_commit_that_needs_it_lists_nothing_incomplete();
        await A_layer_that_heals_against_its_taking_back_ends_listed();
        await An_event_that_comes_during_and_after_a_delete_brings_nothing_back();
        await Late_events_against_a_delete_bring_nothing_back();
        await Two_versions_of_an_index_json_end_with_the_newer_one();
        await A_manifest_that_lands_against_the_index_json_that_tags_it_gets_its_tag();
        await An_index_json_against_the_manifest_that_it_tags_gives_it_its_tag();
        await A_taking_back_of_a_layer_against_the_commit_that_needs_it_lists_nothing_incomplete();
        await A_delete_of_a_layer_against_the_commit_that_needs_it_leaves_no_image_without_it();
    }

    private static (Layout Layout, string One, string Two) Two()
    {
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        layout.Index(Layout.Tagged(one, "moves"), two);
        return (layout, Layout.Digest(one), Layout.Digest(two));
    }
}
