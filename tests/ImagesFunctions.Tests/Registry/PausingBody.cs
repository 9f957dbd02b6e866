using System.Net;
using System.Text;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Operation;
using ImagesFunctions.Tests.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImagesFunctions.Tests.Registry;

/// <summary>A body that pauses for longer than the server's own bound would let it, or a request may take otherwise.</summary>
public sealed class PausingBody(KestrelFixture kestrel, WorkerFixture worker) : IClassFixture<KestrelFixture>
{
    // Kestrel looks at the bytes a second after a grace of five.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(8);

    [Theory]
    [InlineData("Kestrel")]
    [InlineData("worker")]
    public async Task A_chunk_that_begins_after_a_pause_is_taken(string on)
    {
        var host = on == "worker" ? (await worker.Started).Running : await kestrel.Started;
        var account = Drop.Fresh("alice");
        var client = await RegistryClient.ForAsync(host, account);
        var location = await client.BeginAsync($"{account}/web");
        var token = await host.TokenForAsync(account);
        using var request = new HttpRequestMessage(HttpMethod.Patch, location)
        {
            Content = new Late(Encoding.UTF8.GetBytes("hello")),
        };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.TryAddWithoutValidation("Authorization", RegistryClient.Basic(account, token));

        using var reply = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.Equal("0-4", reply.Headers.GetValues("Range").Single());
    }

    [Fact]
    public async Task A_manifest_that_pauses_for_longer_than_a_request_may_take_is_pushed()
    {
        var times = new StorageTimes { Request = Pause - TimeSpan.FromSeconds(2) };
        await using var host = await OwnHost.StartAsync(services =>
            services.Replace(ServiceDescriptor.Singleton(times))
        );
        var token = await host.Running.TokenForAsync("alice");
        using var request = new HttpRequestMessage(HttpMethod.Put, "/v2/alice/web/manifests/empty")
        {
            Content = new Late(
                Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[]}""")
            ),
        };
        request.Content.Headers.ContentType = new(Layout.OciIndex);
        request.Headers.TransferEncodingChunked = true;
        request.Headers.TryAddWithoutValidation("Authorization", RegistryClient.Basic("alice", token));

        using var reply = await host.Running.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Created, reply.StatusCode);
    }

    // The source itself pauses: there is no condition to wait for.
    private sealed class Late(byte[] bytes) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await Task.Delay(Pause);
            await stream.WriteAsync(bytes);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
