using System.Collections.Concurrent;
using System.Globalization;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Support;
using Microsoft.Extensions.Configuration;

[assembly: AssemblyFixture(typeof(Storages))]

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// Empty storage accounts for tests, so many on one Azurite, two of which are used in turn; each is started by the first test that needs it. Azurite
/// reads a whole table for a query, so a test, or a class of tests that share a host, has an account of its own.
/// </summary>
public sealed class Storages : IAsyncDisposable
{
    // Azurite knows only those that it is told of when it starts.
    private const int Accounts = 4_000;
    private const int OnOneAzurite = 200;

    // An Azurite is one thread.
    private const int SideBySide = 2;
    private const string Key = "a2V5";

    private static readonly ConcurrentDictionary<int, Lazy<Task<TestAzurite>>> s_azurites = new();
    private static int s_used;

    /// <summary>The connection string of an account that nobody has used.</summary>
    public static async Task<string> NewAsync()
    {
        var number = Interlocked.Increment(ref s_used);
        var azurite = (number / (SideBySide * OnOneAzurite) * SideBySide) + (number % SideBySide);
        var ports = (await s_azurites.GetOrAdd(azurite, _ => new(StartAsync)).Value).Ports;
        var name = Name(number);
        return $"DefaultEndpointsProtocol=http;AccountName={name};AccountKey={Key};"
            + $"BlobEndpoint=http://127.0.0.1:{ports.Blob}/{name};TableEndpoint=http://127.0.0.1:{ports.Table}/{name};";
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

    private static Task<TestAzurite> StartAsync() =>
        TestAzurite.StartAsync(string.Join(';', Enumerable.Range(1, Accounts).Select(i => $"{Name(i)}:{Key}")));

    private static string Name(int i) => "t" + i.ToString("D4", CultureInfo.InvariantCulture);
}
