using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Rules;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Exploration.Sessions;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Planted;

/// <summary>Faults in what processes do with rows around their decisions: other implementations of a step.</summary>
internal static class PlantedSteps
{
    /// <summary>All of them, by their names.</summary>
    public static IReadOnlyDictionary<string, Processes> All { get; } =
        new Dictionary<string, Processes>(StringComparer.Ordinal)
        {
            ["looks for n before it writes b"] = new LooksTooEarly(),
            ["does not look for b again after it has written n"] = new LooksOnce(),
            ["removes bytes whatever they are"] = new RemovesAnything(),
            ["takes the row of a removed blob away at once"] = new KeepsNoRow(),
            ["sweeps by rows that its decision does not record"] = new SweepsUnrecorded(),
        };

    /// <summary>A client of a push session that writes the session's row whatever it is.</summary>
    public static SessionClient Unconditional(
        World world,
        Actor actor,
        ModelStorage storage,
        ModelParts parts,
        ClientPlan plan
    ) => new UnconditionalClient(world, actor, storage, parts, plan);

    /// <summary>A client of a push session that takes a lost answer for a refusal where others have moved the session on since.</summary>
    public static SessionClient Forgetful(
        World world,
        Actor actor,
        ModelStorage storage,
        ModelParts parts,
        ClientPlan plan
    ) => new ForgetfulClient(world, actor, storage, parts, plan);

    /// <summary>A process that removes by rows as they were before its decision.</summary>
    public static RuledProcess RetiresUnrecorded(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
        new UnrecordedRetirer(world, actor, storage, blobs);

    private sealed class UnrecordedRetirer(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
        : RuledProcess(world, actor, storage, blobs)
    {
        private readonly ModelTable _table = new(world, actor, storage);

        protected override Task<List<(RetiredImage Image, List<Change> Changes)>> FindAsync(
            DecisionView view,
            CancellationToken cancellationToken
        ) => base.FindAsync(new DecisionView(_table, view.Partition, view.Seq), cancellationToken);
    }

    private sealed class ForgetfulClient(
        World world,
        Actor actor,
        ModelStorage storage,
        ModelParts parts,
        ClientPlan plan
    ) : SessionClient(world, actor, storage, parts, plan)
    {
        protected override bool Names(UploadRow now, UploadPart part) => now.Parts is [.., var last] && last == part;
    }

    private sealed class UnconditionalClient(
        World world,
        Actor actor,
        ModelStorage storage,
        ModelParts parts,
        ClientPlan plan
    ) : SessionClient(world, actor, storage, parts, plan)
    {
        protected override VersionTag? Condition(VersionTag read) => null;
    }

    private sealed record LooksTooEarly : Processes
    {
        public override RepositoryProcess Ingest(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
            new Process(world, actor, storage, blobs);

        private sealed class Process(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
            : RepositoryProcess(world, actor, storage, blobs)
        {
            protected override async Task<bool> VerifyAsync(Digest digest, BlobRow? row, string etag)
            {
                var waiting = await WaitingAsync(digest);
                var verified = new BlobRow(Goods.App, digest, 1, etag, BlobState.Good, Tar: null);
                if (!await PutAsync(verified, row) || await Blobs.ETagAsync(Actor, digest) != etag)
                {
                    return false;
                }

                await CommitReadyAsync(digest, waiting);
                return true;
            }
        }
    }

    private sealed record LooksOnce : Processes
    {
        public override RepositoryProcess Ingest(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
            new Process(world, actor, storage, blobs);

        private sealed class Process(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
            : RepositoryProcess(world, actor, storage, blobs)
        {
            protected override bool TriesAgain => false;
        }
    }

    private sealed record RemovesAnything : Processes
    {
        public override SweepingProcess Sweep(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
            new Process(world, actor, storage, blobs);

        private sealed class Process(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
            : SweepingProcess(world, actor, storage, blobs)
        {
            protected override async Task<bool> FinishAsync(Digest digest)
            {
                if (await BlobAsync(digest) is not { IsBeingRemoved: true } row)
                {
                    return true;
                }

                if (await Blobs.ETagAsync(Actor, digest) is { } etag)
                {
                    await Blobs.DeleteAsync(Actor, digest, etag);
                }

                await SendAsync(new Change(row.Key, row.AsRemoved().ToRow(), row.RowETag));
                return true;
            }
        }
    }

    private sealed record KeepsNoRow : Processes
    {
        public override Deleter Delete(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
            new Process(world, actor, storage, blobs);

        private sealed class Process(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
            : Deleter(world, actor, storage, blobs)
        {
            protected override TableRow? AsRemoved(BlobRow row) => null;
        }
    }

    private sealed record SweepsUnrecorded : Processes
    {
        public override SweepingProcess Sweep(World world, Actor actor, ModelStorage storage, ModelBlobs blobs) =>
            new Process(world, actor, storage, blobs);

        private sealed class Process(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
            : SweepingProcess(world, actor, storage, blobs)
        {
            private readonly ModelTable _table = new(world, actor, storage);

            protected override Task<IReadOnlyList<Change>> BlobChangesAsync(
                DecisionView view,
                Digest digest,
                CancellationToken cancellationToken
            ) => base.BlobChangesAsync(new DecisionView(_table, view.Partition, view.Seq), digest, cancellationToken);
        }
    }
}
