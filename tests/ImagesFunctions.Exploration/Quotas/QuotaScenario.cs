using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Quotas;

/// <summary>Makes the processes of a <see cref="QuotaScenario"/>: how tests plant faults into their steps.</summary>
internal record QuotaProcesses : Processes
{
    /// <summary>How decisions are counted.</summary>
    public Quota Quota { get; init; } = new();

    /// <summary>Counts.</summary>
    public virtual Counter Count(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
        new(world, actor, storage, blobs);
}

/// <summary>
/// An account with a quota, whose images are pushed, dropped, deleted and swept at the same time. In some worlds what it takes was
/// counted wrongly before, and somebody counts anew.
/// </summary>
/// <param name="seed">What they do follows from it.</param>
/// <param name="processes">Makes who does.</param>
internal sealed class QuotaScenario(int seed, QuotaProcesses processes) : IScenario
{
    private ModelStorage? _storage;
    private QuotaCheck? _check;
    private Counter? _counter;

    /// <inheritdoc/>
    public void Start(World world)
    {
        var random = new Random(seed);
        var (storage, blobs) = (new ModelStorage(world) { Quota = processes.Quota }, new ModelBlobs(world));
        var complete = new CatalogCheck(world, storage, blobs);
        var wrong = random.Next(3) == 0 ? random.Next(-1, 2) : 0;
        var check = new QuotaCheck(world, storage) { Wrong = wrong };
        (_storage, _check) = (storage, check);
        blobs.Heard = complete.DemandComplete;
        storage.Heard = call =>
        {
            if (call.Result.IsDone && call.Changes.Count > 0)
            {
                complete.DemandComplete();
                check.DemandCounted();
            }
        };
        FirstCommit.Write(world, storage, blobs, Goods.Images[0]);
        var limit = new QuotaRow(random.Next(1, 5), DateTimeOffset.UnixEpoch).ToRow();
        var used = (QuotaCheck.InRows(storage) + new UsedRow(wrong, wrong)).ToRow();
        storage.Write([new Change(limit.Key, limit), new Change(used.Key, used)]);

        for (var i = random.Next(1, 3); i > 0; i--)
        {
            var actor = world.AddActor($"push{i}");
            var pusher = new Pusher(world, actor, storage, blobs);
            var manifest = Any(random);
            actor.Start(() => pusher.PushAsync(manifest, "latest"));
            if (random.Next(4) == 0)
            {
                world.AddKill(actor);
            }
        }

        AddDrop(world, random, storage, blobs);
        AddDelete(world, random, storage, blobs);
        if (random.Next(2) == 0)
        {
            var actor = world.AddActor("sweep");
            world.AddLater(actor, 2 * SweepingProcess.Grace, processes.Sweep(world, actor, storage, blobs).SweepAsync);
        }

        if (wrong != 0 || random.Next(2) == 0)
        {
            var actor = world.AddActor("count");
            _counter = processes.Count(world, actor, storage, blobs);
            actor.Start(_counter.CountAsync);
        }
    }

    /// <inheritdoc/>
    public void Check(World world)
    {
        if (_counter is { IsDone: true })
        {
            _check!.Wrong = 0;
        }

        _check!.DemandCounted();
    }

    private void AddDrop(World world, Random random, ModelStorage storage, ModelBlobs blobs)
    {
        var image = Goods.Images[1];
        if (random.Next(3) == 0 || blobs.Find(image) is not null)
        {
            return;
        }

        // Else its event is one of bytes that are pushed.
        if (random.Next(2) == 0)
        {
            blobs.Put(image);
        }

        var actor = world.AddActor("ingest");
        var process = processes.Ingest(world, actor, storage, blobs);
        actor.Start(() => process.NameAsync(image));
        actor.Start(() => process.LandedAsync(image));
    }

    private void AddDelete(World world, Random random, ModelStorage storage, ModelBlobs blobs)
    {
        if (random.Next(2) == 0)
        {
            var actor = world.AddActor("delete");
            var image = Any(random);
            actor.Start(() => processes.Delete(world, actor, storage, blobs).DeleteImageAsync(image));
            if (random.Next(3) == 0)
            {
                world.AddKill(actor);
            }
        }
    }

    private static Digest Any(Random random) => Goods.Images[random.Next(Goods.Images.Count)];
}
