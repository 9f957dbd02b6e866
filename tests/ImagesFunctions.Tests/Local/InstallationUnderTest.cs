using System.Text;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Local;

/// <summary>
/// An installation as the Bicep makes it: an Azurite that knows identities only stands for its storage account, a server of the tests
/// for Azure Resource Manager.
/// </summary>
internal sealed class InstallationUnderTest : IAsyncDisposable
{
    // Other tests may have all processors.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private InstallationUnderTest(SecureAzurite azurite, ResourceManager azure, Node node, Examined examined) =>
        (Azurite, Azure, Node, Examined) = (azurite, azure, node, examined);

    public SecureAzurite Azurite { get; }

    public ResourceManager Azure { get; }

    public Node Node { get; }

    /// <summary>It as the doctor sees it.</summary>
    public Examined Examined { get; }

    public StorageAccount Storage => Azurite.Storage;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<InstallationUnderTest> StartAsync()
    {
        var azurite = await SecureAzurite.StartAsync();
        var azure = await ResourceManager.StartAsync(azurite);
        var node = new Node(azurite.Storage);
        // What only a deployment makes.
        await azurite.Storage.DeadLetters.CreateIfNotExistsAsync(cancellationToken: Stop);
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new($"{StorageAccount.Section}:blobServiceUri", azurite.BlobService.ToString()),
                new($"{StorageAccount.Section}:queueServiceUri", azurite.QueueService.ToString()),
            ])
            .Build();
        var poison = PoisonQueue.Of(configuration, azurite.Storage.Credential, azurite.Network())!;
        await poison.CreateAsync(cancellationToken: Stop);
        var examined = Of(node) with
        {
            Poison = poison,
            Management = azure.Client(),
            Installation = ResourceManager.Names,
        };
        return new InstallationUnderTest(azurite, azure, node, examined);
    }

    /// <summary>A store alone.</summary>
    public static Examined Of(Node node) =>
        new(
            node.Storage,
            node.Services.GetRequiredService<ImagesApp>(),
            new Mends(node.Storage.Images.AccountName, ResourceManager.Names)
        )
        {
            Deadline = s_patience,
        };

    /// <summary>Looks at all of it.</summary>
    public Task<IReadOnlyList<Check>> LookAsync() => DoctorCommand.LookAsync(Examined, drop: null, Stop);

    /// <summary>Breaks nine things.</summary>
    public async Task BreakAsync()
    {
        await Storage.Derived.DeleteAsync(cancellationToken: Stop);
        await Storage.Accounts.DeleteAsync(Stop);
        var dead = BinaryData.FromString(
            """
            [{"id":"1","eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/images/blobs/alice/web/index.json",
              "deadLetterReason":"MaxDeliveryAttemptsExceeded","deliveryAttempts":30}]
            """
        );
        await Storage.DeadLetters.UploadBlobAsync("images-landed/2026/dead.json", dead, Stop);
        var poison = """{"Type":"BlobTrigger","ContainerName":"images","BlobName":"alice/web/index.json"}""";
        await Examined.Poison!.SendMessageAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes(poison)), Stop);
        Azure.Settings["AzureWebJobs.BlobLandedPolling.Disabled"] = "false";
        Azure.Settings["AzureWebJobs.Sweep.Disabled"] = "true";
        Azure.Subscription["filter"]!["subjectBeginsWith"] = "/blobServices/default/containers/pictures/";
        Azure.Roles.RemoveAt(0);
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await Azure.DisposeAsync();
        await Azurite.DisposeAsync();
    }
}
