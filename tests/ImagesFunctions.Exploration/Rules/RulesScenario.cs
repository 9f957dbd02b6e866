using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Rules;

/// <summary>
/// Images of one repository are pushed under one tag, or under none, while others set rules, which keep the tag as it is and let old
/// images go, while others pull images, and while others remove these.
/// </summary>
/// <param name="seed">What they do follows from it.</param>
/// <param name="ruled">Makes who sets rules and keeps to them.</param>
internal sealed class RulesScenario(int seed, Func<World, Actor, ModelStorage, ModelBlobs, RuledProcess> ruled)
    : IScenario
{
    private static readonly string[] s_rules =
    [
        """{"immutable":[{"repositories":["**"],"tags":["latest"]}]}""",
        """{"retention":[{"repositories":["**"],"remove":{"untagged_after":"1h"}}]}""",
        """{"retention":[{"repositories":["**"],"remove":{"untagged_after":"1h","not_pushed_for":"1h"}}]}""",
        """{"immutable":[{"repositories":["**"],"tags":["latest"]}],"retention":[{"repositories":["**"],"remove":{"untagged_after":"1h"}}]}""",
        """{"retention":[{"repositories":["**"],"remove":{"not_pulled_for":"1h"}}]}""",
        "{}",
    ];

    /// <inheritdoc/>
    public void Start(World world)
    {
        var random = new Random(seed);
        var (storage, blobs) = (new ModelStorage(world), new ModelBlobs(world));
        var complete = new CatalogCheck(world, storage, blobs);
        var check = new RulesCheck(world, storage);
        storage.Heard = call =>
        {
            if (call.Result.IsDone && call.Changes.Count > 0)
            {
                complete.DemandComplete();
            }

            check.Hear(call);
        };
        FirstCommit.Write(world, storage, blobs, Goods.Images[0], random.Next(2) == 0 ? RulesCheck.Tag : null);
        for (var i = random.Next(2); i >= 0; i--)
        {
            var actor = world.AddActor($"rules{i}");
            var rules = AccountRules.Parse(s_rules[random.Next(s_rules.Length)]);
            var process = ruled(world, actor, storage, blobs);
            if (i == 0)
            {
                actor.Start(() => process.SetAsync(rules));
            }
            else
            {
                world.AddLater(actor, TimeSpan.FromMinutes(random.Next(90)), () => process.SetAsync(rules));
            }
        }

        for (var i = random.Next(1, 4); i > 0; i--)
        {
            AddPush(world, random, $"push{i}", storage, blobs);
        }

        for (var i = random.Next(1, 3); i > 0; i--)
        {
            var actor = world.AddActor($"retire{i}");
            world.AddLater(actor, TimeSpan.FromMinutes(90), ruled(world, actor, storage, blobs).RetireAsync);
        }

        for (var i = random.Next(3) / 2; i > 0; i--)
        {
            AddPull(world, random, $"pull{i}", storage, blobs);
        }
    }

    // Beside those who remove, or long before them.
    private void AddPull(World world, Random random, string name, ModelStorage storage, ModelBlobs blobs)
    {
        var actor = world.AddActor(name);
        var (puller, image) = (ruled(world, actor, storage, blobs), Any(random));
        world.AddLater(actor, TimeSpan.FromMinutes(random.Next(2) == 0 ? 90 : random.Next(90)), PullAsync);

        async Task PullAsync()
        {
            if (
                await puller.PullAsync(image)
                && !storage.Truth.After(storage.Truth.Seq).ContainsKey(Keys.Pulled(Goods.App, image))
            )
            {
                world.Fail("a pull is answered that nobody has written down");
            }
        }
    }

    /// <inheritdoc/>
    public void Check(World world)
    {
        // Each commit was looked at.
    }

    // One process pushes some times: what it has kept of the rules may be old by then.
    private static void AddPush(World world, Random random, string name, ModelStorage storage, ModelBlobs blobs)
    {
        var actor = world.AddActor(name);
        var pusher = new Pusher(world, actor, storage, blobs);
        for (var i = random.Next(3) / 2; i >= 0; i--)
        {
            var image = Any(random);
            string[] tags = random.Next(3) == 0 ? [] : [RulesCheck.Tag];
            if (i == 0)
            {
                actor.Start(() => pusher.PushAsync(image, tags));
            }
            else
            {
                world.AddLater(actor, TimeSpan.FromMinutes(random.Next(90)), () => pusher.PushAsync(image, tags));
            }
        }

        if (random.Next(4) == 0)
        {
            world.AddKill(actor);
        }
    }

    private static Digest Any(Random random) => Goods.Images[random.Next(Goods.Images.Count)];
}
