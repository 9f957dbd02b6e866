using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Sessions;

/// <summary>Some clients, each of a process of its own, append to one push session at the same time.</summary>
/// <param name="seed">What they do follows from it.</param>
/// <param name="client">Makes a client.</param>
internal sealed class SessionScenario(
    int seed,
    Func<World, Actor, ModelStorage, ModelParts, ClientPlan, SessionClient> client
) : IScenario
{
    private readonly List<SessionClient> _clients = [];
    private readonly ModelParts _parts = new();
    private ModelStorage? _storage;

    /// <inheritdoc/>
    public void Start(World world)
    {
        var random = new Random(seed);
        var storage = _storage = new ModelStorage(world);
        var empty = new UploadRow("web", SessionClient.Id, "sha256", [], DateTimeOffset.UnixEpoch);
        storage.Write([new Change(empty.Key, empty.ToRow())]);
        storage.Heard = _ => DemandWhole(world);
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var actor = world.AddActor($"client{i}");
            var one = client(world, actor, storage, _parts, new ClientPlan(random.Next(1, 4), random.Next(2) == 0));
            _clients.Add(one);
            actor.Start(one.RunAsync);
            if (random.Next(4) == 0)
            {
                world.AddKill(actor);
            }
        }
    }

    /// <inheritdoc/>
    public void Check(World world)
    {
        DemandWhole(world);
        var named = Row().Parts;
        foreach (var part in _clients.SelectMany(c => c.Acknowledged).Where(p => !named.Contains(p)))
        {
            world.Fail($"{part.Id} was acknowledged, and the session does not name it");
        }
    }

    private UploadRow Row() => UploadRow.From(_storage!.Find(Keys.Upload(SessionClient.Id))!);

    // Each part is there, and where its client meant it to be.
    private void DemandWhole(World world)
    {
        var offset = 0;
        foreach (var part in Row().Parts)
        {
            if (_parts.Find(part) is not { } meant)
            {
                world.Fail($"the session names {part.Id}, which is gone");
            }
            else if (meant >= 0 && meant != offset)
            {
                world.Fail($"{part.Id} is at {offset}, and was sent for {meant}");
            }

            offset++;
        }
    }
}
