using System.Collections.Concurrent;
using System.Globalization;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests;
using Microsoft.Extensions.Configuration;

[assembly: AssemblyFixture(typeof(Storages))]

namespace ImagesFunctions.Tests;

/// <summary>
/// Empty storage accounts for tests, so many on one Azurite, each of which is started by the first test that needs it. What
/// Azurite does takes time in proportion to its table, and to all blobs that it holds, whoever's they are.
/// </summary>
public sealed class Storages : IAsyncDisposable
{
    private const int Accounts = 4_000;
    private const int OnOneAzurite = 100;
    private const string Key = "a2V5";

    private static readonly ConcurrentDictionary<int, Lazy<Task<Azurite>>> s_azurites = new();
    private static int s_used;

    static Storages() =>
        // Azurite knows only the accounts that it is told of when it starts; processes started from here inherit this.
        Environment.SetEnvironmentVariable(
            "AZURITE_ACCOUNTS",
            string.Join(';', Enumerable.Range(1, Accounts).Select(i => $"{Name(i)}:{Key}"))
                + ";devstoreaccount1:Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        );

    /// <summary>The connection string of an account that nobody has used.</summary>
    public static async Task<string> NewAsync()
    {
        var number = Interlocked.Increment(ref s_used);
        var azurite = await s_azurites
            .GetOrAdd(number / OnOneAzurite, _ => new Lazy<Task<Azurite>>(() => Azurite.StartAsync(inMemory: true)))
            .Value;
        var name = Name(number);
        return $"DefaultEndpointsProtocol=http;AccountName={name};AccountKey={Key};"
            + $"BlobEndpoint=http://127.0.0.1:{azurite.Ports.Blob}/{name};TableEndpoint=http://127.0.0.1:{azurite.Ports.Table}/{name};";
    }

    /// <summary>Such an account with its containers and tables.</summary>
    public static async Task<string> NewWithTablesAsync()
    {
        var connection = await NewAsync();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new(StorageAccount.Section, connection)])
            .Build();
        await StorageAccount.From(configuration).CreateAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var azurite in s_azurites.Values.Where(a => a.IsValueCreated))
        {
            await (await azurite.Value).DisposeAsync();
        }
    }

    private static string Name(int i) => "t" + i.ToString("D4", CultureInfo.InvariantCulture);
}
