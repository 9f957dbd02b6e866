using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using ImagesFunctions.Journal;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Storage;

/// <summary>The containers and tables of one storage account. Making one does no I/O.</summary>
public sealed class StorageAccount
{
    /// <summary>The configuration section, and the name of the triggers' connection.</summary>
    public const string Section = "ImagesStorage";

    /// <summary>The blob container that holds one OCI image layout per repository.</summary>
    public const string ImagesContainer = "images";

    /// <summary>The blob container of push sessions that are not finished.</summary>
    public const string UploadsContainer = "uploads";

    /// <summary>The blob container of what can be rebuilt: facts too long for a row, snapshots of lists.</summary>
    public const string DerivedContainer = "derived";

    /// <summary>The blob container from which lost tables are made anew.</summary>
    public const string CatalogContainer = "catalog";

    /// <summary>The blob container where Event Grid leaves events that it could not deliver. Only a cloud has one.</summary>
    public const string DeadLettersContainer = "deadletters";

    /// <summary>The table of image rows.</summary>
    public const string ImagesTable = "images";

    /// <summary>The table of tokens.</summary>
    public const string AccountsTable = "accounts";

    /// <summary>What the name of a table begins with that is there only while the table of the rest of the name is being rebuilt.</summary>
    public const string RebuildPrefix = "rebuild";

    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    // Shared by all accounts of the process, as the SDK's own is.
    private static readonly SocketsHttpHandler s_network = new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    private static readonly TimeSpan KeyLifetime = TimeSpan.FromHours(4);

    private readonly BlobServiceClient _blobs;
    private readonly StoreGate _imageGate;
    private readonly StoreGate _tokenGate;
    private UserDelegationKey? _key;

    private StorageAccount(
        BlobServiceClient blobs,
        BlobServiceClient streams,
        TableServiceClient tables,
        TableServiceClient transactions,
        StorageTimes times
    )
    {
        _blobs = blobs;
        Times = times;
        ImageStreams = streams.GetBlobContainerClient(ImagesContainer);
        UploadStreams = streams.GetBlobContainerClient(UploadsContainer);
        Images = blobs.GetBlobContainerClient(ImagesContainer);
        Uploads = blobs.GetBlobContainerClient(UploadsContainer);
        Derived = blobs.GetBlobContainerClient(DerivedContainer);
        Catalog = blobs.GetBlobContainerClient(CatalogContainer);
        DeadLetters = blobs.GetBlobContainerClient(DeadLettersContainer);
        ImageTable = tables.GetTableClient(ImagesTable);
        Accounts = tables.GetTableClient(AccountsTable);
        ImageMarks = tables.GetTableClient(RebuildPrefix + ImagesTable);
        TokenMarks = tables.GetTableClient(RebuildPrefix + AccountsTable);
        (_imageGate, _tokenGate) = (new StoreGate(ImageMarks, times), new StoreGate(TokenMarks, times));
        ImageRows = new StoredTable(ImageTable, transactions.GetTableClient(ImagesTable), _imageGate);
        TokenRows = new StoredTable(Accounts, transactions.GetTableClient(AccountsTable), _tokenGate);
    }

    /// <summary>The container <see cref="ImagesContainer"/>.</summary>
    public BlobContainerClient Images { get; }

    /// <summary>The container <see cref="UploadsContainer"/>.</summary>
    public BlobContainerClient Uploads { get; }

    /// <summary>The container <see cref="DerivedContainer"/>.</summary>
    public BlobContainerClient Derived { get; }

    /// <summary>The container <see cref="CatalogContainer"/>.</summary>
    public BlobContainerClient Catalog { get; }

    /// <summary>The container <see cref="DeadLettersContainer"/>, which need not be there.</summary>
    public BlobContainerClient DeadLetters { get; }

    /// <summary>The table <see cref="ImagesTable"/>.</summary>
    public TableClient ImageTable { get; }

    /// <summary>The table <see cref="AccountsTable"/>.</summary>
    public TableClient Accounts { get; }

    /// <summary>The identity that storage is asked with; null where it is asked with a key.</summary>
    public TokenCredential? Credential { get; private init; }

    /// <summary>
    /// The container <see cref="ImagesContainer"/> for bytes that arrive while they are sent on: they can be sent only once, and
    /// take as long as whoever sends them here.
    /// </summary>
    internal BlobContainerClient ImageStreams { get; }

    /// <summary>The container <see cref="UploadsContainer"/> in the same way.</summary>
    internal BlobContainerClient UploadStreams { get; }

    /// <summary>Whether it is an emulator on this machine: there nothing goes by TLS.</summary>
    internal bool IsOnThisMachine => ImageTable.Uri.IsLoopback;

    /// <summary>How long storage is waited for.</summary>
    internal StorageTimes Times { get; }

    /// <summary>The time by storage's clock, to about a second, as soon as it has answered anything.</summary>
    public DateTimeOffset Now => Clock.UtcNow;

    /// <summary>The storage service's clock.</summary>
    internal StorageClock Clock { get; init; } = new(TimeProvider.System);

    /// <summary>The rows of <see cref="ImageTable"/>.</summary>
    internal StoredTable ImageRows { get; private set; }

    /// <summary>The rows of <see cref="Accounts"/>.</summary>
    internal StoredTable TokenRows { get; private set; }

    /// <summary>What is whole while <see cref="ImageTable"/> is being rebuilt.</summary>
    internal TableClient ImageMarks { get; }

    /// <summary>What is whole while <see cref="Accounts"/> is being rebuilt.</summary>
    internal TableClient TokenMarks { get; }

    /// <summary>The same account for who rebuilds its tables, and has to read what is half made.</summary>
    internal StorageAccount Unguarded()
    {
        var same = (StorageAccount)MemberwiseClone();
        (same.ImageRows, same.TokenRows) = (ImageRows.Unguarded, TokenRows.Unguarded);
        return same;
    }

    /// <summary>From now on tables that are being rebuilt are not taken for empty ones: for who serves, or changes what it reads.</summary>
    public void Guard()
    {
        _imageGate.TurnOn();
        _tokenGate.TurnOn();
    }

    /// <summary>
    /// Makes the clients from the section <see cref="Section"/>: its value is a connection string, or it holds
    /// <c>blobServiceUri</c> and <c>tableServiceUri</c> for an identity: the user-assigned one of <c>clientId</c> where
    /// <c>credential</c> is <c>managedidentity</c>, else the developer's own.
    /// </summary>
    /// <param name="configuration">The host's configuration.</param>
    /// <param name="policies">Pipeline policies that see every storage call, once a try; how tests inject faults.</param>
    /// <exception cref="InvalidOperationException">The section is missing or incomplete; the message says what to set.</exception>
    public static StorageAccount From(IConfiguration configuration, IEnumerable<HttpPipelinePolicy>? policies = null) =>
        From(configuration, policies, credential: null, network: null);

    /// <summary>As the other overload, with other times.</summary>
    public static StorageAccount From(IConfiguration configuration, StorageTimes times) =>
        From(configuration, policies: null, credential: null, network: null, times);

    /// <summary>As the other overload, with an identity and a network of the caller's own: how tests are an identity.</summary>
    internal static StorageAccount From(
        IConfiguration configuration,
        IEnumerable<HttpPipelinePolicy>? policies,
        TokenCredential? credential,
        HttpMessageHandler? network,
        StorageTimes? times = null
    )
    {
        times ??= new StorageTimes();
        var clock = new StorageClock(times.Clock);
        var options = StorageClientOptions.Of([.. policies ?? []], times, clock, network ?? s_network);
        var section = configuration.GetSection(Section);
        return section.Value is { Length: > 0 } connectionString
            ? FromConnectionString(connectionString, options, times, clock)
            : FromAddresses(section, credential, options, times, clock);
    }

    private static StorageAccount FromConnectionString(
        string connectionString,
        StorageClientOptions options,
        StorageTimes times,
        StorageClock clock
    )
    {
        try
        {
            return new StorageAccount(
                new BlobServiceClient(connectionString, options.Blobs),
                new BlobServiceClient(connectionString, options.Streams),
                new TableServiceClient(connectionString, options.Tables),
                new TableServiceClient(connectionString, options.Transactions),
                times
            )
            {
                Clock = clock,
            };
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidOperationException($"{Section} is not a connection string of a storage account.", error);
        }
    }

    private static StorageAccount FromAddresses(
        IConfigurationSection section,
        TokenCredential? credential,
        StorageClientOptions options,
        StorageTimes times,
        StorageClock clock
    )
    {
        if (
            !Uri.TryCreate(section["blobServiceUri"], UriKind.Absolute, out var blobUri)
            || !Uri.TryCreate(section["tableServiceUri"], UriKind.Absolute, out var tableUri)
        )
        {
            throw new InvalidOperationException(
                $"No storage account is configured: set {Section} to a connection string, or {Section}__blobServiceUri and {Section}__tableServiceUri."
            );
        }

        credential ??= StorageIdentity.Of(section);
        return new StorageAccount(
            new BlobServiceClient(blobUri, credential, options.Blobs),
            new BlobServiceClient(blobUri, credential, options.Streams),
            new TableServiceClient(tableUri, credential, options.Tables),
            new TableServiceClient(tableUri, credential, options.Transactions),
            times
        )
        {
            Clock = clock,
            Credential = credential,
        };
    }

    /// <summary>
    /// Creates the containers and tables that are missing. For local use; in the cloud the deployment does it. Tables that the
    /// catalog tells of are left missing: see <see cref="StorageSetup"/>.
    /// </summary>
    /// <returns>Whether the tables are there.</returns>
    public Task<bool> CreateAsync(CancellationToken cancellationToken) =>
        StorageSetup.CreateAsync(this, cancellationToken);

    /// <summary>
    /// An address at which a blob can be read without anything else for a while. With an identity it is signed with a key
    /// that the identity has asked for, and ends with the identity's own rights; else with the account's key.
    /// </summary>
    /// <param name="blob">The blob.</param>
    /// <param name="lifetime">For how long, less than an hour.</param>
    /// <param name="cancellationToken">Ends the request for a key.</param>
    internal async Task<Uri> ReadUriAsync(BlobBaseClient blob, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        // What begins now would not have begun on another of storage's machines.
        var now = Clock.UtcNow;
        var sas = new BlobSasBuilder(BlobSasPermissions.Read, now + lifetime)
        {
            BlobContainerName = blob.BlobContainerName,
            BlobName = blob.Name,
            Resource = "b",
            StartsOn = now - ClockSkew,
        };
        if (blob.CanGenerateSasUri)
        {
            return blob.GenerateSasUri(sas);
        }

        var key = await KeyAsync(now, cancellationToken);
        return new BlobUriBuilder(blob.Uri) { Sas = sas.ToSasQueryParameters(key, _blobs.AccountName) }.ToUri();
    }

    private async Task<UserDelegationKey> KeyAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Two that ask at the same time get two keys, and both are good.
        var key = Volatile.Read(ref _key);
        if (key is null || key.SignedExpiresOn < now + TimeSpan.FromHours(1))
        {
            key = await _blobs.GetUserDelegationKeyAsync(now - ClockSkew, now + KeyLifetime, cancellationToken);
            Volatile.Write(ref _key, key);
        }

        return key;
    }
}
