using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace ImagesFunctions.FunctionsHost;

/// <summary>How an invocation ended.</summary>
/// <param name="Succeeded">Whether the function returned.</param>
/// <param name="Error">What it threw, as the worker tells it to the host; empty when it returned.</param>
public sealed record InvocationResult(bool Succeeded, string Error);

/// <summary>
/// A small Functions host for tests: starts the built function app as the host does, loads its functions, serves its HTTP
/// triggers on a free port of 127.0.0.1, and calls its blob and timer triggers when told to. A worker that dies is started again.
/// </summary>
/// <remarks>
/// It does with requests what the host was seen to do: HTTP functions are tried in the order of their names, a method that no
/// trigger lists ends in a bare 404, a request whose worker dies in a bare 500. It does not hold bodies in memory, has no
/// poison queue and no webhook.
/// </remarks>
public sealed class WorkerHost : IAsyncDisposable
{
    private readonly Dictionary<string, string> _settings;
    private readonly string _app;
    private readonly Protocol _protocol;
    private readonly WebApplication _rpc;
    private readonly WebApplication _front;
    private readonly HttpMessageInvoker _client = new(
        new WhileItStarts
        {
            InnerHandler = new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
            },
        }
    );
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _changing = new();
    private Worker _starting = null!;
    private Task<Worker> _worker;

    private WorkerHost(string app, Dictionary<string, string> settings)
    {
        (_app, _settings) = (app, settings);
        _protocol = new Protocol(app);
        _worker = Task.FromException<Worker>(new InvalidOperationException("The host is not started."));
        _rpc = Server(HttpProtocols.Http2);
        _rpc.MapPost(Protocol.EventStream, ServeStreamAsync);
        _front = Server(HttpProtocols.Http1AndHttp2);
        _front.Run(ServeAsync);
    }

    /// <summary>The folder of the function app as it was built with the tests.</summary>
    public static string BuiltApp { get; } =
        Path.GetFullPath(
            typeof(WorkerHost)
                .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
                .Single(metadata => metadata.Key == "App")
                .Value!
        );

    /// <summary>Where the HTTP triggers are served.</summary>
    public Uri Address => new(_front.Urls.Single());

    /// <summary>What the worker that runs now has written and logged, the last lines.</summary>
    public string Log => _starting.Log;

    /// <summary>
    /// Starts the app in <paramref name="app"/> and loads its functions. <paramref name="settings"/> are app settings as the
    /// portal shows them; <c>AzureWebJobs.[name].Disabled</c> keeps a function from being loaded.
    /// </summary>
    /// <exception cref="WorkerExitedException">The worker ended instead.</exception>
    public static async Task<WorkerHost> StartAsync(
        string app,
        IEnumerable<KeyValuePair<string, string>> settings,
        CancellationToken stop
    )
    {
        var host = new WorkerHost(app, new(settings, StringComparer.OrdinalIgnoreCase));
        try
        {
            await host._rpc.StartAsync(stop);
            await host._front.StartAsync(stop);
            await host.StartWorker().WaitAsync(stop);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>All functions of the app, the disabled ones too, by name.</summary>
    public async Task<IReadOnlyList<AppFunction>> FunctionsAsync() => (await _worker).Functions;

    /// <summary>The process id of the worker that runs now.</summary>
    public async Task<int> ProcessIdAsync() => (await _worker).ProcessId;

    /// <summary>
    /// Calls every enabled blob trigger for the blob at <paramref name="path"/> of the container, once each, as an event or a
    /// scan does.
    /// </summary>
    public Task<InvocationResult> BlobLandedAsync(string path, CancellationToken stop) =>
        InvokeAsync("blobTrigger", function => Invocations.OfBlob(function, path), stop);

    /// <summary>Calls the enabled timer trigger once.</summary>
    public Task<InvocationResult> TickAsync(CancellationToken stop) =>
        InvokeAsync("timerTrigger", Invocations.OfTimer, stop);

    /// <summary>Tells the worker to finish and end, as the host does at a scale-in, and returns its exit code. No other is started.</summary>
    public async Task<int> TerminateAsync(TimeSpan grace, CancellationToken stop)
    {
        await _stopping.CancelAsync();
        var worker = await _worker;
        worker.Terminate(grace);
        return await worker.Exited.WaitAsync(stop);
    }

    /// <summary><c>kill -9</c> of the worker. The host starts another one by itself.</summary>
    public async Task KillWorkerAsync()
    {
        var worker = await _worker;
        worker.Kill();
        await worker.Exited;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_starting is { } worker)
        {
            worker.Kill();
            await worker.Exited;
            worker.Dispose();
        }

        await _front.DisposeAsync();
        await _rpc.DisposeAsync();
        _client.Dispose();
        _stopping.Dispose();
    }

    private static WebApplication Server(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddHttpForwarder();
        return builder.Build();
    }

    private Task<Worker> StartWorker()
    {
        lock (_changing)
        {
            if (_stopping.IsCancellationRequested)
            {
                return _worker;
            }

            _starting = Worker.Start(_protocol, _app, new Uri(_rpc.Urls.Single()), _settings);
            return _worker = LoadAsync(_starting);
        }
    }

    private async Task<Worker> LoadAsync(Worker worker)
    {
        await worker.LoadAsync(_app, IsEnabled, _stopping.Token);
        _ = worker.Exited.ContinueWith(
            _ =>
            {
                worker.Dispose();
                return StartWorker();
            },
            _stopping.Token,
            TaskContinuationOptions.None,
            TaskScheduler.Default
        );
        return worker;
    }

    private bool IsEnabled(AppFunction function) =>
        !(_settings.TryGetValue($"AzureWebJobs.{function.Name}.Disabled", out var disabled) && bool.Parse(disabled));

    private async Task ServeStreamAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.StartAsync(context.RequestAborted);
        var hello = await _protocol.ReadAsync(context.Request.Body, context.RequestAborted);
        if (hello?["startStream"]?["workerId"]?.GetValue<string>() != _starting.Id)
        {
            throw new InvalidDataException($"A stream that begins with {hello} is not of the worker that was started.");
        }

        await _starting.ServeStreamAsync(context.Request.Body, context.Response.Body, context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private async Task ServeAsync(HttpContext context)
    {
        Worker worker;
        try
        {
            worker = await _worker.WaitAsync(context.RequestAborted);
        }
        catch (WorkerExitedException)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return;
        }

        if (worker.Functions.FirstOrDefault(f => IsEnabled(f) && f.Takes(context.Request)) is not { } function)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var id = Guid.NewGuid().ToString();
        var call = Invocations.OfRequest(function);
        var invocation = worker.InvokeAsync(id, call, context.RequestAborted);
        var forwarder = context.RequestServices.GetRequiredService<IHttpForwarder>();
        var error = await forwarder.SendAsync(
            context,
            worker.HttpUri,
            _client,
            new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(5) },
            new ToWorker(id)
        );
        if (error != ForwarderError.None && !context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }

        await ((Task)invocation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<InvocationResult> InvokeAsync(
        string trigger,
        Func<AppFunction, JsonObject> call,
        CancellationToken stop
    )
    {
        var worker = await _worker.WaitAsync(stop);
        var function = worker.Functions.Single(f => f.TriggerType == trigger && IsEnabled(f));
        var response = await worker.InvokeAsync(Guid.NewGuid().ToString(), call(function), stop);
        var result = response["result"];
        return new(Worker.Succeeded(result), result?["exception"]?["message"]?.GetValue<string>() ?? "");
    }
}
