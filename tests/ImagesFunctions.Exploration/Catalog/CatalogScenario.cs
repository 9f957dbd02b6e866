using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>Makes the processes of a <see cref="CatalogScenario"/>: how tests plant faults into their steps.</summary>
internal record Processes
{
    /// <summary>Takes in what lands.</summary>
    public virtual RepositoryProcess Ingest(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
        new(world, actor, storage, blobs);

    /// <summary>Deletes.</summary>
    public virtual Deleter Delete(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
        new(world, actor, storage, blobs);

    /// <summary>Sweeps.</summary>
    public virtual SweepingProcess Sweep(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
        new(world, actor, storage, blobs);
}

/// <summary>
/// Images of one repository are dropped in any order, named, pushed, deleted and swept at the same time by several processes.
/// </summary>
/// <param name="seed">What they do follows from it.</param>
/// <param name="processes">Makes them.</param>
internal sealed class CatalogScenario(int seed, Processes processes) : IScenario
{
    private readonly List<Pusher> _pushers = [];
    private readonly HashSet<Digest> _deleted = [];
    private readonly HashSet<Digest> _named = [];
    private ModelStorage? _storage;
    private ModelBlobs? _blobs;
    private bool _isSwept;

    /// <inheritdoc/>
    public void Start(World world)
    {
        var random = new Random(seed);
        var storage = _storage = new ModelStorage(world);
        var blobs = _blobs = new ModelBlobs(world);
        var check = new CatalogCheck(world, storage, blobs);
        blobs.Heard = check.DemandComplete;
        storage.Heard = call =>
        {
            if (call.Result.IsDone && call.Changes.Count > 0)
            {
                check.DemandComplete();
            }
        };
        if (random.Next(2) == 0)
        {
            FirstCommit.Write(world, storage, blobs, Goods.Images[0]);
        }

        if (random.Next(3) > 0)
        {
            AddDrop(world, Goods.Images[1], random);
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            var actor = world.AddActor($"push{i}");
            var pusher = new Pusher(world, actor, storage, blobs);
            var manifest = Any(random);
            _pushers.Add(pusher);
            actor.Start(() => pusher.PushAsync(manifest, "latest"));
        }

        AddDeletes(world, random);
        AddSweeps(world, random);
    }

    /// <inheritdoc/>
    public void Check(World world)
    {
        var check = new CatalogCheck(world, _storage!, _blobs!);
        foreach (var manifest in _pushers.SelectMany(p => p.Pushed).Except(_deleted))
        {
            check.DemandThere(manifest, "it was pushed");
        }

        foreach (var manifest in _named.Except(_deleted).Where(_ => !_isSwept && world.Kills == 0))
        {
            check.DemandThere(manifest, "all of it was dropped");
        }
    }

    private static Digest Any(Random random) => Goods.Images[random.Next(Goods.Images.Count)];

    // Its blobs are there, and their events and the one of index.json come in any order, to any process, and twice.
    private void AddDrop(World world, Digest manifest, Random random)
    {
        foreach (var digest in new[] { manifest, Goods.Layer }.Where(d => _blobs!.Find(d) is null))
        {
            _blobs!.Put(digest);
        }

        _named.Add(manifest);
        var count = random.Next(1, 4);
        var actors = Enumerable.Range(0, count).Select(i => world.AddActor($"ingest{i}")).ToList();
        var all = actors.ConvertAll(actor => processes.Ingest(world, actor, _storage!, _blobs!));
        Start(random, actors, all, p => p.NameAsync(manifest));
        Start(random, actors, all, p => p.LandedAsync(manifest));
        Start(random, actors, all, p => p.LandedAsync(Goods.Layer));
        if (random.Next(2) == 0)
        {
            Start(random, actors, all, p => p.LandedAsync(Goods.Layer));
        }

        if (random.Next(4) == 0)
        {
            world.AddKill(actors[random.Next(actors.Count)]);
        }
    }

    private static void Start(
        Random random,
        List<Actor> actors,
        List<RepositoryProcess> all,
        Func<RepositoryProcess, Task> run
    )
    {
        var which = random.Next(actors.Count);
        actors[which].Start(() => run(all[which]));
    }

    private void AddDeletes(World world, Random random)
    {
        if (random.Next(2) == 0)
        {
            var actor = world.AddActor("delete");
            var deleter = processes.Delete(world, actor, _storage!, _blobs!);
            if (random.Next(3) == 0)
            {
                actor.Start(() => deleter.DeleteBlobAsync(Goods.Layer));
                // What is not needed yet may go, and then nothing completes it.
                _isSwept = true;
            }
            else
            {
                var manifest = Any(random);
                _deleted.Add(manifest);
                actor.Start(() => deleter.DeleteImageAsync(manifest));
            }

            if (random.Next(3) == 0)
            {
                world.AddKill(actor);
            }
        }
    }

    private void AddSweeps(World world, Random random)
    {
        for (var i = random.Next(3); i > 0; i--)
        {
            var actor = world.AddActor($"sweep{i}");
            var sweeper = processes.Sweep(world, actor, _storage!, _blobs!);
            _isSwept = true;
            world.AddLater(actor, 2 * SweepingProcess.Grace, sweeper.SweepAsync);
        }
    }
}
