using System.Collections;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>The storage account that a command works on, and the Azurite behind it if there is one.</summary>
internal sealed class LocalStore : IAsyncDisposable
{
    private readonly Azurite? _azurite;

    private LocalStore(Azurite? azurite)
    {
        _azurite = azurite;
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables();
        if (azurite is not null)
        {
            configuration.AddInMemoryCollection([new(LocalHost.StorageSection, azurite.ConnectionString)]);
        }

        Account = StorageAccount.From(configuration.Build());
    }

    /// <summary>Null: what the environment says.</summary>
    public string? ConnectionString => _azurite?.ConnectionString;

    /// <summary>The account as an app on it sees it.</summary>
    public StorageAccount Account { get; }

    /// <summary>
    /// The variables of the environment that name a storage account. An empty value is how a variable is unset for one command.
    /// </summary>
    public static IReadOnlyList<string> Variables =>
        [
            .. Environment
                .GetEnvironmentVariables()
                .Cast<DictionaryEntry>()
                .Where(variable => variable.Value is string { Length: > 0 })
                .Select(variable => (string)variable.Key)
                .Where(name =>
                    // As the configuration reads them.
                    name.Equals(LocalHost.StorageSection, StringComparison.OrdinalIgnoreCase)
                    || name.StartsWith($"{LocalHost.StorageSection}__", StringComparison.OrdinalIgnoreCase)
                )
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>
    /// Uses the account of <c>ImagesStorage</c> if that is set, else finds or starts Azurite, and says which store that is.
    /// </summary>
    public static async Task<LocalStore> OpenAsync(string? data, TextWriter notes, CancellationToken cancellationToken)
    {
        var store =
            Variables.Count > 0
                ? new LocalStore(null)
                : new LocalStore(await Azurite.StartAsync(false, data, notes, cancellationToken));
        await notes.WriteLineAsync(store.Description);
        return store;
    }

    /// <summary>
    /// An emulator, known by its key: the only kind of store whose containers are made, whose container is watched and that
    /// gets a demo account and a sample image.
    /// </summary>
    public bool IsEmulator =>
        Account.Images is { CanGenerateSasUri: true } images
        && (images.Uri.IsLoopback || images.AccountName == "devstoreaccount1");

    /// <summary>The address of the account's blob service, without what a connection string may have put behind it.</summary>
    public Uri Address => new(Account.Images.Uri, ".");

    /// <summary>Which store it is, in one line.</summary>
    public string Description =>
        $"Store: {Address}, "
        + _azurite switch
        {
            { Folder: { } folder } => $"the Azurite of {folder}",
            { } => "an Azurite that was running on the standard ports",
            null => $"as {string.Join(" and ", Variables)} {(Variables.Count == 1 ? "says" : "say")}",
        };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _azurite?.DisposeAsync() ?? ValueTask.CompletedTask;
}
