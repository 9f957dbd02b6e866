using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Tests of the registry: one repository that no other test uses, its account's client, and the form of errors.</summary>
public abstract class AgainstARegistry(KestrelFixture fixture) : AgainstAHost(fixture)
{
    /// <summary>The digest of a blob and of a manifest that are in no repository.</summary>
    protected const string Unknown = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b800";

    /// <summary>Another one in each test.</summary>
    protected string Repository { get; } = $"{Drop.Fresh("alice")}/app";

    protected string Account => Repository.Split('/')[0];

    protected Task<RegistryClient> ClientAsync() => RegistryClient.ForAsync(Host, Account);

    protected static void Is(HttpStatusCode status, string code, Reply reply)
    {
        Assert.True(reply.Status == status, $"{(int)reply.Status}, not {(int)status}: {reply.Text}");
        Assert.Equal("application/json", reply["Content-Type"]);
        Assert.Equal(code, reply.Code);
        Assert.NotEmpty(reply.Json["errors"]![0]!["message"]!.GetValue<string>());
    }
}
