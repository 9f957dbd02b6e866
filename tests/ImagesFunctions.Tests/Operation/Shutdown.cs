using System.Net;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ImagesFunctions.Tests.Operation;

/// <summary>What is under way when the local host is told to end.</summary>
public sealed class Shutdown
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_push_under_way_is_finished_and_nothing_new_is_taken()
    {
        using var heard = new Heard();
        // It ends because all is done, not because its time is up.
        await using var host = await OwnHost.StartAsync(services =>
            services.Configure<HostOptions>(options => options.ShutdownTimeout = Timeout.InfiniteTimeSpan)
        );
        var address = host.App.Address();
        var token = await host.Running.TokenForAsync("alice");
        var client = new RegistryClient(host.Running.Http, RegistryClient.Basic("alice", token));
        var location = await client.BeginAsync("alice/app");
        using var request = new HttpRequestMessage(HttpMethod.Patch, location);
        request.Headers.TryAddWithoutValidation("Authorization", RegistryClient.Basic("alice", token));
        var body = new System.IO.Pipelines.Pipe();
        request.Content = new StreamContent(body.Reader.AsStream());
        request.Headers.TransferEncodingChunked = true;
        // Else the client keeps the head of the request until it has more of the body.
        request.Headers.ExpectContinue = true;
        await body.Writer.WriteAsync(new byte[10], Stop);
        using var test = heard.Begin();
        var answer = host.Running.Http.SendAsync(request, Stop);
        await Until.TrueAsync(() => heard.Of(test.TraceId).Any(), "its token was looked up");

        var end = host.App.StopAsync(CancellationToken.None);
        await Until.TrueAsync(() => IsClosed(address), "the port is closed");
        Assert.False(end.IsCompleted);
        await body.Writer.WriteAsync(new byte[10], Stop);
        await body.Writer.CompleteAsync();

        using var reply = await answer;
        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.Equal("0-19", reply.Headers.GetValues("Range").Single());
        await Deadline.OfAsync(end, "the end of the host");
    }

    private static bool IsClosed(Uri address)
    {
        try
        {
            using var socket = new System.Net.Sockets.TcpClient(address.Host, address.Port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }
}
