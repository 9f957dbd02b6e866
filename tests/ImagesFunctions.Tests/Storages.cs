using System.Globalization;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests;
using Microsoft.Extensions.Configuration;

[assembly: AssemblyFixture(typeof(Storages))]

namespace ImagesFunctions.Tests;

/// <summary>
/// Empty storage accounts for tests, all on one Azurite that is started by the first test that needs it. A table of its
/// own for each test also keeps them fast: what Azurite does takes time in proportion to the table.
/// </summary>
public sealed class Storages : IAsyncDisposable
{
    private const int Accounts = 4_000;
    private const string Key = "a2V5";

    private static readonly Lazy<Task<Azurite>> s_azurite = new(() => Azurite.StartAsync(inMemory: true));
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
        var azurite = await s_azurite.Value;
        var name = Name(Interlocked.Increment(ref s_used));
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
        if (s_azurite.IsValueCreated)
        {
            await (await s_azurite.Value).DisposeAsync();
        }
    }

    private static string Name(int i) => "t" + i.ToString("D4", CultureInfo.InvariantCulture);
}
