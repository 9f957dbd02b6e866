using CliWrap;
using CliWrap.Buffered;

namespace ImagesFunctions.Benchmarks;

/// <summary>What every measurement is given: how large it is to be, our published program, and where its results go.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly string _root;
    private Store? _many;

    private Bench(string root, bool smoke, Report report, CancellationToken stop)
    {
        (_root, Smoke, Report, Stop) = (root, smoke, report, stop);
        Folder = Directory.CreateTempSubdirectory("images-bench-").FullName;
    }

    /// <summary>Whether everything is to be tiny, so that only wrong answers are found.</summary>
    public bool Smoke { get; }

    public Report Report { get; }

    public CancellationToken Stop { get; }

    /// <summary>Temporary, removed at the end.</summary>
    public string Folder { get; }

    /// <summary>Where the document and its plots go.</summary>
    public string Docs => Path.Combine(_root, "docs");

    /// <summary>Our program, as <see cref="PublishedAsync"/> gives it.</summary>
    public string Program { get; private set; } = "";

    /// <summary>How many images the largest namespace has.</summary>
    public int Many => Smoke ? 300 : 100_000;

    /// <summary>How many images each app has, in a namespace of any size; the first of them has a tag.</summary>
    public const int PerApp = 10;

    /// <summary>How often ours and the peer take turns where nothing else is said, after one turn each that does not count.</summary>
    public const int Rounds = 3;

    /// <summary>How long one turn of a load takes, in seconds.</summary>
    public int LoadSeconds => Smoke ? 1 : 4;

    /// <summary>Begins, and has our program made.</summary>
    public static async Task<Bench> StartAsync(bool smoke, Report report, CancellationToken stop)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "ImagesFunctions.sln")))
        {
            root = root.Parent ?? throw new InvalidOperationException("Run this inside a clone.");
        }

        var bench = new Bench(root.FullName, smoke, report, stop);
        try
        {
            bench.Program = Path.Combine(await bench.PublishedAsync("functions/Local"), "ImagesFunctions.Local.dll");
            report.Machine = await Machine.DescribeAsync(root.FullName, stop);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    /// <summary>The folder of a project of the clone as <c>dotnet publish -c Release</c> makes it; in a smoke run, which measures
    /// nothing, as it was built with the measurements.</summary>
    public async Task<string> PublishedAsync(string project)
    {
        var from = Path.Combine(_root, project);
        var to = Path.Combine(Folder, Path.GetFileName(project));
        if (Smoke)
        {
            var built = new DirectoryInfo(AppContext.BaseDirectory);
            var folder = Path.Combine(from, "bin", built.Parent!.Name, built.Name);
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        Say($"publishing {project}");
        await Cli.Wrap("dotnet")
            .WithArguments(["publish", from, "-c", "Release", "--nologo", "-v", "q", "-o", to])
            .ExecuteBufferedAsync(Stop);
        return to;
    }

    /// <summary>The storage whose namespace <c>alice</c> has <see cref="Many"/> images; made once, because that takes long.</summary>
    public async Task<Store> ManyAsync()
    {
        if (_many is null)
        {
            Say($"seeding {Many} images");
            _many = await Store.StartAsync(this);
            await _many.SeedAsync("alice", Many);
        }

        return _many;
    }

    /// <summary>Says on standard error what is going on.</summary>
    public static void Say(string what) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");

    public async ValueTask DisposeAsync()
    {
        if (_many is not null)
        {
            await _many.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }
}
