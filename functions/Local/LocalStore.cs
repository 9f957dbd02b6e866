using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>The storage account that a command works on, and the Azurite behind it if there is one.</summary>
internal sealed class LocalStore : IAsyncDisposable
{
    private readonly Azurite? _azurite;

    private LocalStore(Azurite? azurite) => _azurite = azurite;

    /// <summary>Null: what the environment says.</summary>
    public string? ConnectionString => _azurite?.ConnectionString;

    /// <summary>Uses the account of <c>ImagesStorage</c> if that is set, else finds or starts Azurite.</summary>
    public static async Task<LocalStore> OpenAsync(string? data, TextWriter notes, CancellationToken cancellationToken)
    {
        var environment = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var chosen = environment.GetSection(LocalHost.StorageSection);
        // An empty value is how a variable is unset for one command.
        return !string.IsNullOrEmpty(chosen.Value) || chosen.GetChildren().Any()
            ? new LocalStore(null)
            : new LocalStore(await Azurite.StartAsync(false, data, notes, cancellationToken));
    }

    /// <summary>An emulator on this machine: the only kind that gets a demo account and a sample image.</summary>
    public static bool IsEmulator(StorageAccount storage) => storage.Images.Uri.IsLoopback;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _azurite?.DisposeAsync() ?? ValueTask.CompletedTask;
}
