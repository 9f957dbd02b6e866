using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ImagesFunctions.Tests.Local;

/// <summary>A proxy of TCP connections that counts their bytes, and can cut them.</summary>
internal sealed class CountingProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, byte> _open = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _server;
    private readonly Task _accepting;
    private long _up;
    private long _down;

    public CountingProxy(Uri server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public string Address => $"http://{_listener.LocalEndpoint}";

    /// <summary>How many bytes clients have sent.</summary>
    public long Up => Interlocked.Read(ref _up);

    /// <summary>How many bytes came back.</summary>
    public long Down => Interlocked.Read(ref _down);

    /// <summary>Cuts all connections.</summary>
    public void Cut()
    {
        foreach (var client in _open.Keys)
        {
            client.Client.Close(timeout: 0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        _open[client] = 0;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _server.Port, _stop.Token);
            var up = PumpAsync(client.GetStream(), server.GetStream(), n => Interlocked.Add(ref _up, n));
            var down = PumpAsync(server.GetStream(), client.GetStream(), n => Interlocked.Add(ref _down, n));
            await Task.WhenAny(up, down);
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            // Whoever was connected sees it.
        }
        finally
        {
            _open.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, Action<int> count)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, _stop.Token)) > 0; )
            {
                count(read);
                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Either end is gone.
        }
    }
}
