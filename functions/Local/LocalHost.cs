using ImagesFunctions.Pages;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Trace;

namespace ImagesFunctions.Local;

/// <summary>The web application: the pipeline of the library on Kestrel, and the watcher beside it.</summary>
public static class LocalHost
{
    /// <summary>Where it listens unless told otherwise.</summary>
    public const string DefaultUrl = "http://127.0.0.1:7071";

    /// <summary>
    /// Builds it; nothing runs and no storage is touched before it is started. Its start makes containers and tables, unless
    /// it is a gateway.
    /// </summary>
    /// <param name="connectionString">The storage account; null: what the environment says in <c>ImagesStorage</c>.</param>
    /// <param name="urls">Separated by semicolons, port 0 for any free one; null: <c>ASPNETCORE_URLS</c>, else <see cref="DefaultUrl"/>.</param>
    /// <param name="configure">May replace what is registered.</param>
    /// <param name="gateway">
    /// It only serves. Watching the container, collecting garbage and making containers is left to the function app.
    /// </param>
    public static WebApplication Build(
        string? connectionString,
        string? urls,
        Action<IServiceCollection>? configure = null,
        bool gateway = false
    )
    {
        // The caller's current directory must not matter.
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions
            {
                ContentRootPath = AppContext.BaseDirectory,
                EnvironmentName = Environments.Production,
            }
        );
        if (connectionString is not null)
        {
            builder.Configuration.AddInMemoryCollection([new(StorageSection, connectionString)]);
        }

        builder.WebHost.UseUrls(urls ?? builder.Configuration["urls"] ?? DefaultUrl);
        // Container images of .NET set these, and every start would warn that urls win.
        builder.WebHost.UseSetting(WebHostDefaults.HttpPortsKey, "").UseSetting(WebHostDefaults.HttpsPortsKey, "");
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        Quieten(builder.Logging);

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddImages(builder.Configuration).AddPages();
        // In the cloud the worker makes the span of a request.
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddAspNetCoreInstrumentation());
        if (!gateway)
        {
            builder.Services.AddHostedService<ContainerWatcher>();
            builder.Services.AddHostedService<SweepTimer>();
        }

        configure?.Invoke(builder.Services);

        var app = builder.Build();
        app.Run(app.Images().HandleAsync);
        return app;
    }

    /// <summary>Builds it on a store that is open, whose account it shares: an identity is asked for its token once.</summary>
    internal static WebApplication Build(LocalStore store, string? urls, bool gateway) =>
        Build(store.ConnectionString, urls, services => services.AddSingleton(store.Account), gateway);

    /// <summary>The service that it runs.</summary>
    public static ImagesApp Images(this WebApplication app) => app.Services.GetRequiredService<ImagesApp>();

    /// <summary>Starts it, with one plain line when the port is taken.</summary>
    /// <exception cref="LocalException">The address cannot be listened on.</exception>
    public static async Task ListenAsync(this WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            throw new LocalException(
                $"{app.Configuration["urls"] ?? DefaultUrl} is taken: end what listens there, or choose another with --urls http://127.0.0.1:7072",
                error
            );
        }
    }

    /// <summary>Whether it can be listened on: scheme, host (or * for any) and port.</summary>
    internal static bool IsUrl(string url) =>
        Uri.TryCreate(url.Replace("//*", "//any", StringComparison.Ordinal), UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
        && address.PathAndQuery == "/";

    /// <summary>The address it listens on once it is started, with the real port.</summary>
    public static Uri Address(this WebApplication app)
    {
        var bound = app
            .Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        // "Any address" is where to listen, not where to connect to.
        return new Uri(
            bound
                .Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal)
                .Replace("//[::]", "//127.0.0.1", StringComparison.Ordinal)
        );
    }

    internal const string StorageSection = "ImagesStorage";

    // Standard output belongs to what was asked for (a token); the log goes to standard error, one line each.
    private static void Quieten(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("ImagesFunctions", LogLevel.Information);
        // Says again, with a stack trace, what ends the program and is said there.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
            console.ColorBehavior = LoggerColorBehavior.Default;
        });
        logging.Services.Configure<ConsoleLoggerOptions>(console =>
            console.LogToStandardErrorThreshold = LogLevel.Trace
        );
    }
}
