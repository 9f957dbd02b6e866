namespace ImagesFunctions.Local;

/// <summary>
/// A running Azurite: found or started. All processes of one data folder share one, and the one that leaves last
/// ends it; who is there is known by a shared lock, which even a killed process gives back.
/// </summary>
public sealed class Azurite : IAsyncDisposable
{
    // A start is two seconds of processor time, of which a busy machine gives little.
    internal static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(2);
    internal static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    private static readonly Version Oldest = new(3, 37);

    private readonly string? _folder;
    private readonly bool _temporary;
    private readonly AzuriteProcess? _process;
    private FileLock? _use;

    private Azurite(AzuritePorts ports, AzuriteProcess? process = null, string? folder = null, FileLock? use = null)
    {
        Ports = ports;
        _process = process;
        _folder = folder;
        _use = use;
        _temporary = process is not null && use is null;
    }

    /// <summary>With explicit addresses, because the ports may not be the standard ones.</summary>
    public string ConnectionString => Ports.ConnectionString;

    /// <summary>The process, or null when it is one that somebody else started on the standard ports.</summary>
    public int? ProcessId => _process?.Id;

    /// <summary>The address of the blob service, account included.</summary>
    public Uri BlobEndpoint => AzuritePorts.Address(Ports.Blob);

    internal AzuritePorts Ports { get; }

    /// <summary>The folder of its data, or null when it is one that somebody else started on the standard ports.</summary>
    public string? Folder => _folder;

    /// <summary>
    /// Uses the Azurite of the data folder if one runs (one left behind by a kill too), else, where no folder is
    /// named, one that listens on the standard ports, else starts one. Dispose it when done: the last to do so ends what was started.
    /// </summary>
    /// <param name="inMemory">For tests: always a new one, with its own free ports and nothing left behind.</param>
    /// <param name="data">The data folder, whose Azurite has ports of its own; null is <c>.data</c> at the root of the clone.</param>
    /// <param name="notes">Hears what takes long or is unusual; null is nobody.</param>
    /// <param name="cancellationToken">Ends the start and what it has begun.</param>
    /// <exception cref="LocalException">Node.js is missing, the folder cannot be used, its ports are taken, or Azurite does not start.</exception>
    public static Task<Azurite> StartAsync(
        bool inMemory = false,
        string? data = null,
        TextWriter? notes = null,
        CancellationToken cancellationToken = default
    ) =>
        inMemory
            ? StartInMemoryAsync(notes ?? TextWriter.Null, cancellationToken)
            : StartSharedAsync(
                DataFolder.Open(data),
                // Who names a folder means its data, and not what another Azurite holds.
                data is null
                    ? AzuritePorts.Standard
                    : null,
                notes ?? TextWriter.Null,
                cancellationToken
            );

    /// <summary>As <see cref="StartAsync"/>, with other standard ports; null: the ports of the folder.</summary>
    internal static async Task<Azurite> StartSharedAsync(
        string data,
        AzuritePorts? standard,
        TextWriter notes,
        CancellationToken cancellationToken
    )
    {
        // The gate makes "look, then start" and "I was the last, end it" one step each.
        using var gate =
            await FileLock.TakeAsync(Path.Combine(data, "azurite.gate"), StartDeadline * 5, cancellationToken)
            ?? throw new LocalException($"another process has been starting Azurite in {data} for too long: end it");

        return await JoinLeftAsync(data, cancellationToken)
            ?? await FindAsync(standard, notes, cancellationToken)
            ?? await LaunchAsync(data, standard, notes, cancellationToken);
    }

    // The one of the folder, if it answers: its starter may have been killed before it did.
    private static async Task<Azurite?> JoinLeftAsync(string data, CancellationToken cancellationToken)
    {
        if (AzuriteProcess.Read(data) is not { } left)
        {
            return null;
        }

        if (await left.AnswersSoonAsync(data, cancellationToken))
        {
            return Join(data, left);
        }

        await left.EndAsync(data);
        return null;
    }

    // One on the standard ports, which somebody else has started, if it is new enough.
    private static async Task<Azurite?> FindAsync(
        AzuritePorts? standard,
        TextWriter notes,
        CancellationToken cancellationToken
    )
    {
        if (standard is null || await standard.AnswerAsync(cancellationToken) is not { } version)
        {
            return null;
        }

        if (version >= Oldest)
        {
            return new Azurite(standard);
        }

        await notes.WriteLineAsync($"The Azurite on port {standard.Blob} is {version}, too old: starting another.");
        return null;
    }

    private static async Task<Azurite> LaunchAsync(
        string data,
        AzuritePorts? standard,
        TextWriter notes,
        CancellationToken cancellationToken
    )
    {
        Directory.CreateDirectory(Path.Combine(data, "azurite"));
        Func<int, AzuritePorts> choose = standard is null
            ? new FolderPorts(data, notes).Choose
            : attempt => attempt == 1 && standard.AllFree ? standard : AzuritePorts.Free();
        var started = await AzuriteLaunch.RunAsync(data, choose, inMemory: false, notes, cancellationToken);
        if (standard is not null && started.Ports != standard)
        {
            await notes.WriteLineAsync(
                $"A standard port of Azurite is taken: blobs are on port {started.Ports.Blob}, tables on {started.Ports.Table}."
            );
        }

        return Join(data, started);
    }

    // Nobody holds this lock alone but behind the gate, which is ours.
    private static Azurite Join(string data, AzuriteProcess process) =>
        FileLock.TryTake(UsersFile(data), alone: false, out var use)
            ? new Azurite(process.Ports, process, data, use)
            : throw new LocalException($"{UsersFile(data)} cannot be locked");

    private static async Task<Azurite> StartInMemoryAsync(TextWriter notes, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("azurite-").FullName;
        try
        {
            var started = await AzuriteLaunch.RunAsync(
                folder,
                _ => AzuritePorts.Free(),
                inMemory: true,
                notes,
                cancellationToken
            );
            return new Azurite(started.Ports, started, folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Ends Azurite if nobody else uses it; one that was found on the standard ports lives on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_temporary)
        {
            await _process!.KillAsync();
            if (Directory.Exists(_folder))
            {
                Directory.Delete(_folder, recursive: true);
            }
        }
        else if (Interlocked.Exchange(ref _use, null) is { } use)
        {
            // If the gate stays shut, another process is about to use it, and ends it or leaves it to the next start.
            using var gate = await FileLock.TakeAsync(
                Path.Combine(_folder!, "azurite.gate"),
                EndDeadline,
                CancellationToken.None
            );
            use.Dispose();
            if (gate is not null && FileLock.TryTake(UsersFile(_folder!), alone: true, out var last))
            {
                using (last)
                {
                    // Not always the one we came for: if that died, another user started the next.
                    await (AzuriteProcess.Read(_folder!) ?? _process!).EndAsync(_folder!);
                    AzuriteProcess.Forget(_folder!);
                }
            }
        }
    }

    private static string UsersFile(string data) => Path.Combine(data, "azurite.users");
}
