using ImagesFunctions.Accounts;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Images;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rebuild;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions;

/// <summary>
/// The service as a host sees it: a host registers it by <see cref="ImagesServices.AddImages"/> and hands it HTTP requests,
/// events of blobs and ticks of a timer.
/// </summary>
/// <param name="services">The host's services. Nothing is resolved before it is used: no storage account, no route.</param>
public sealed class ImagesApp(IServiceProvider services)
{
    private readonly Lazy<RequestDelegate> _pipeline = new(() => ImagesPipeline.Build(services));

    /// <summary>The newest schema of images' rows that this version reads.</summary>
    public const long Schema = ImageRow.Schema;

    /// <summary>The storage account.</summary>
    /// <exception cref="InvalidOperationException">None is configured; the message says what to set.</exception>
    public StorageAccount Storage => services.GetRequiredService<StorageAccount>();

    /// <summary>The tokens of accounts.</summary>
    public Tokens Tokens => services.GetRequiredService<Tokens>();

    /// <summary>The trust rules of accounts.</summary>
    public TrustRules Trust => services.GetRequiredService<TrustRules>();

    /// <summary>The images, as whoever operates the storage account sees and changes them.</summary>
    public StoredImages Stored => services.GetRequiredService<StoredImages>();

    private RulesStore Rules => services.GetRequiredService<RulesStore>();

    private BlobIngest Ingest => services.GetRequiredService<BlobIngest>();

    private Sweeper Sweeper => services.GetRequiredService<Sweeper>();

    /// <summary>Answers an HTTP request to any path. Every error is answered in the form of the API that the path belongs to.</summary>
    public Task HandleAsync(HttpContext context) => _pipeline.Value(context);

    /// <summary>
    /// Takes in the blob that stands at a path now; no blob at all means that it was removed. Bad input is recorded and not
    /// thrown. While storage fails, the call retries for the time of the setting <c>OutageWait</c>.
    /// </summary>
    /// <param name="path">The path inside the container <c>images</c>.</param>
    /// <param name="cancellationToken">Cancels the operation; the next event for the path completes it.</param>
    /// <exception cref="StorageUnavailableException">
    /// Storage failed until the end of that time. Exceptions of the Azure SDK mean the same. The event is to be delivered again.
    /// </exception>
    public Task BlobLandedAsync(string path, CancellationToken cancellationToken) =>
        services.GetRequiredService<PatientIngest>().LandedAsync(path, cancellationToken);

    /// <summary>As <see cref="BlobLandedAsync"/>, without retries: for a host that has its own.</summary>
    public Task TryBlobLandedAsync(string path, CancellationToken cancellationToken) =>
        Ingest.LandedAsync(path, cancellationToken);

    /// <summary>Records that the host gives up a blob. Its status shows that, and the next sweep tries it again.</summary>
    /// <param name="path">The path inside the container <c>images</c>.</param>
    /// <param name="error">What the last try threw.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task BlobFailedAsync(string path, Exception error, CancellationToken cancellationToken) =>
        Ingest.FailedAsync(path, error, cancellationToken);

    /// <summary>
    /// Collects the garbage that is due by now, with the ages of the settings, and goes on with the walk that finds what nobody has
    /// noted: for a host's timer.
    /// </summary>
    /// <param name="cancellationToken">Cancels the pass between two steps; the next one completes it.</param>
    /// <exception cref="StorageUnavailableException">Storage is away. Exceptions of the Azure SDK mean the same.</exception>
    public Task<SweepResult> SweepAsync(CancellationToken cancellationToken) => Sweeper.PassAsync(cancellationToken);

    /// <summary>What the store shows of the last passes, in two requests.</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">Storage is away. Exceptions of the Azure SDK mean the same.</exception>
    public Task<SweepSigns> SweepSignsAsync(CancellationToken cancellationToken) =>
        SweepSigns.ReadAsync(Storage, cancellationToken);

    /// <summary>Collects all garbage that there is, whatever is noted.</summary>
    /// <param name="namespace">In which namespace; null: in all.</param>
    /// <param name="grace">The age from which unneeded blobs are removed; null: the ages of the settings.</param>
    /// <param name="dryRun">Whether to count only, and change nothing.</param>
    /// <param name="cancellationToken">Cancels the sweep between two steps.</param>
    /// <exception cref="ArgumentException">It is no namespace.</exception>
    /// <exception cref="StorageUnavailableException">Storage is away. Exceptions of the Azure SDK mean the same.</exception>
    public Task<SweepResult> CollectAsync(
        string? @namespace,
        TimeSpan? grace,
        bool dryRun,
        CancellationToken cancellationToken
    )
    {
        var options = Sweeper.Options;
        var times = grace is { } age ? options with { AfterPush = age, AfterDrop = age } : options;
        return @namespace is null ? Sweeper.RunAsync(times, dryRun, cancellationToken)
            : Repository.IsNamespace(@namespace) ? Sweeper.RunAsync(@namespace, times, dryRun, cancellationToken)
            : throw new ArgumentException($"'{@namespace}' is no namespace", nameof(@namespace));
    }

    /// <summary>Makes lost tables anew from what is in the containers; does nothing where none is lost.</summary>
    /// <param name="cancellationToken">Ends it between two steps; the next call goes on.</param>
    /// <exception cref="StorageUnavailableException">Storage is away. Exceptions of the Azure SDK mean the same.</exception>
    public Task<RebuildResult> RebuildAsync(CancellationToken cancellationToken) =>
        services.GetRequiredService<Rebuilder>().RunAsync(cancellationToken);

    /// <summary>
    /// Makes the containers and tables that are missing; tables that are lost are made anew from what is in the containers. For local
    /// use: in the cloud the deployment makes them, and a sweep or the operator brings back what is lost.
    /// </summary>
    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        if (!await Storage.CreateAsync(cancellationToken))
        {
            await RebuildAsync(cancellationToken);
        }
    }

    /// <summary>The rules that an account has, and who set them when; <see cref="AccountRules.None"/> and no time where it never had any.</summary>
    /// <param name="account">The account.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<(AccountRules Rules, Author? By, DateTimeOffset? At)> RulesAsync(
        string account,
        CancellationToken cancellationToken
    ) =>
        await Rules.GetAsync(account, cancellationToken) is { } row
            ? (row.Rules, row.By, row.At)
            : (AccountRules.None, null, null);

    /// <summary>Sets the rules of an account as its operator, in the place of those before. The next commit keeps to them, in every process.</summary>
    /// <param name="account">The account.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task SetRulesAsync(string account, AccountRules rules, CancellationToken cancellationToken) =>
        Rules.SetAsync(account, rules, by: null, cancellationToken);

    /// <summary>What some rules would keep as it is, and what they would let go now; changes nothing.</summary>
    /// <param name="account">The account.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">Storage is away. Exceptions of the Azure SDK mean the same.</exception>
    public async Task<RulesTrial> TryRulesAsync(string account, AccountRules rules, CancellationToken cancellationToken)
    {
        var immutable = await Rules.ImmutableAsync(account, rules, cancellationToken);
        var (going, bytes) = await Sweeper.TryAsync(account, rules, Sweeper.Options, cancellationToken);
        return new RulesTrial(immutable, going, bytes);
    }

    /// <summary>Sets how much an account may store. What it stores already stays; every process keeps to it within a minute.</summary>
    /// <param name="account">The account.</param>
    /// <param name="bytes">The most bytes of its verified blobs; null: any number.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task SetQuotaAsync(string account, long? bytes, CancellationToken cancellationToken) =>
        services.GetRequiredService<Quotas>().SetAsync(account, bytes, cancellationToken);

    /// <summary>What an account takes, as the last collection of its garbage has left it, and its quota.</summary>
    /// <param name="account">The account.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<AccountUsage> UsageAsync(string account, CancellationToken cancellationToken) =>
        services.GetRequiredService<UsageReader>().ReadAsync(account, cancellationToken);

    /// <summary>What is listed, what waits and what was refused.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="app">One app of it; null for all.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<IngestStatus> StatusAsync(string @namespace, string? app, CancellationToken cancellationToken) =>
        services.GetRequiredService<StatusReader>().ReadAsync(@namespace, app, cancellationToken);
}
