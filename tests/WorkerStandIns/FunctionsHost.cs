using System.Reflection;
using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.WorkerStandIns;

/// <summary>
/// A stand-in for the Functions host and its worker process in one: runs the entry point of a function app compiled against
/// the stand-ins, serves its HTTP triggers on a free port of 127.0.0.1 and calls its blob triggers when told to.
/// It behaves as the host was seen to: HTTP functions are tried in the alphabetical order of their names, a method that no
/// trigger lists ends in a bare 404, and the request carries an endpoint when the function gets it.
/// </summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    // The entry point takes no arguments but text; what it is started for flows to CreateBuilder beside it.
    private static readonly AsyncLocal<FunctionsHost?> s_starting = new();

    private readonly TaskCompletionSource<WebApplication> _started = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly IReadOnlyList<TriggeredFunction> _functions;
    private readonly string _routePrefix;
    private WebApplication _app = null!;
    private Task _entryPoint = null!;

    private FunctionsHost(Assembly app, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        // App settings reach a worker as environment variables, where a colon is written as two underscores.
        Settings = settings.ToDictionary(
            s => s.Key.Replace("__", ":", StringComparison.Ordinal),
            s => s.Value,
            StringComparer.OrdinalIgnoreCase
        );
        _functions = TriggeredFunction.In(app);
        _routePrefix = RoutePrefix(Path.Combine(Path.GetDirectoryName(app.Location)!, "host.json"));
    }

    internal static FunctionsHost Starting =>
        s_starting.Value ?? throw new InvalidOperationException("Start the app with FunctionsHost.StartAsync.");

    internal Dictionary<string, string?> Settings { get; }

    /// <summary>Where the HTTP triggers are served.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>The app's own services.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>
    /// Runs the entry point of <paramref name="app"/> until it serves. <paramref name="settings"/> are app settings as
    /// the portal shows them. Throws what the entry point throws.
    /// </summary>
    public static async Task<FunctionsHost> StartAsync(
        Assembly app,
        IEnumerable<KeyValuePair<string, string?>> settings,
        CancellationToken cancellationToken
    )
    {
        var host = new FunctionsHost(app, settings);
        s_starting.Value = host;
        // A thread of its own: the entry point blocks until the app is stopped.
        host._entryPoint = Task.Factory.StartNew(
            () => app.EntryPoint!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [Array.Empty<string>()], null),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        s_starting.Value = null;
        await await Task.WhenAny(host._started.Task, host._entryPoint).WaitAsync(cancellationToken);
        host._app = host._started.Task.IsCompleted
            ? await host._started.Task
            : throw new InvalidOperationException("The entry point ended before the app served.");
        return host;
    }

    /// <summary>
    /// A blob landed at <paramref name="path"/> of the container: calls every blob trigger that no setting
    /// <c>AzureWebJobs.[name].Disabled</c> switches off, once, and throws what it throws. Returns the names of those called.
    /// </summary>
    public async Task<IReadOnlyList<string>> LandedAsync(string path, CancellationToken cancellationToken)
    {
        var called = new List<string>();
        foreach (var function in _functions.Where(f => f.Blob is not null && !IsDisabled(f)))
        {
            var (container, pattern) = function.Blob!.BlobPath.Split('/', 2) switch
            {
                [var first, var rest] => (first, rest),
                _ => throw new InvalidOperationException($"{function.Name} names no container and pattern."),
            };
            var connection = _app.Configuration[function.Blob.Connection ?? "AzureWebJobsStorage"];
            var blob = new BlobContainerClient(connection, container).GetBlobClient(path);
            await using var scope = _app.Services.CreateAsyncScope();
            await function.CallAsync(
                scope.ServiceProvider,
                parameter =>
                    parameter.ParameterType == typeof(BlobClient) ? blob
                    : $"{{{parameter.Name}}}" == pattern ? path
                    : null,
                cancellationToken
            );
            called.Add(function.Name);
        }
        return called;
    }

    /// <summary>
    /// Calls every timer trigger that no setting disables, once, and throws what it throws. Returns their names and
    /// schedules, each read from the app setting that it names between percent signs.
    /// </summary>
    public async Task<IReadOnlyList<(string Name, string? Schedule)>> TickAsync(CancellationToken cancellationToken)
    {
        var called = new List<(string, string?)>();
        foreach (var function in _functions.Where(f => f.Timer is not null && !IsDisabled(f)))
        {
            await using var scope = _app.Services.CreateAsyncScope();
            await function.CallAsync(
                scope.ServiceProvider,
                parameter => parameter.ParameterType == typeof(TimerInfo) ? new TimerInfo() : null,
                cancellationToken
            );
            var schedule = function.Timer!.Schedule;
            called.Add(
                (function.Name, schedule is ['%', .. var name, '%'] ? Settings.GetValueOrDefault(name) : schedule)
            );
        }
        return called;
    }

    /// <summary>Stops the app as a shutdown does, and throws what its entry point ends with.</summary>
    public async ValueTask DisposeAsync()
    {
        _app.Lifetime.StopApplication();
        await _entryPoint;
    }

    internal void Attach(WebApplication app, bool servesHttp)
    {
        app.Lifetime.ApplicationStarted.Register(() => _started.TrySetResult(app));
        var triggers = _functions
            .Where(f => servesHttp && f.Http is not null && !IsDisabled(f))
            .Select(f =>
                (Function: f, Route: new TemplateMatcher(TemplateParser.Parse(_routePrefix + f.Http!.Route), []))
            )
            .ToList();
        // The host says who asked it and how; the worker believes it.
        app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All });
        app.Run(async context =>
        {
            foreach (var (function, route) in triggers)
            {
                var values = new RouteValueDictionary();
                if (
                    function.Http!.Methods.Contains(context.Request.Method, StringComparer.OrdinalIgnoreCase)
                    && route.TryMatch(context.Request.Path, values)
                )
                {
                    // The worker has matched the function by endpoint routing before it calls it.
                    context.SetEndpoint(new Endpoint(_ => throw new InvalidOperationException(), null, function.Name));
                    context.Request.RouteValues = values;
                    var answer = await function.CallAsync(
                        context.RequestServices,
                        parameter => parameter.ParameterType == typeof(HttpRequest) ? context.Request : null,
                        context.RequestAborted
                    );
                    if (answer is IActionResult result)
                    {
                        await result.ExecuteResultAsync(new(context, context.GetRouteData(), new ActionDescriptor()));
                    }
                    return;
                }
            }
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
    }

    private bool IsDisabled(TriggeredFunction function) =>
        bool.TryParse(Settings.GetValueOrDefault($"AzureWebJobs.{function.Name}.Disabled"), out var disabled)
        && disabled;

    private static string RoutePrefix(string hostJson)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(hostJson));
        var prefix = json
            .RootElement.GetProperty("extensions")
            .GetProperty("http")
            .GetProperty("routePrefix")
            .GetString();
        return string.IsNullOrEmpty(prefix) ? "" : prefix + "/";
    }
}
