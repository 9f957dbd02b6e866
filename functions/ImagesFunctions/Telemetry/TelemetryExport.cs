using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using ImagesFunctions.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ImagesFunctions.Telemetry;

/// <summary>The exporters of telemetry, as settings say.</summary>
public static class TelemetryExport
{
    /// <summary>The name of the source of spans and of the meter.</summary>
    public const string Name = "ImagesFunctions";

    /// <summary>Setting: where Azure Monitor takes telemetry.</summary>
    public const string AzureSetting = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>Setting: the identity that it is sent as, in the host's own form <c>ClientId=…;Authorization=AAD</c>.</summary>
    public const string AzureIdentitySetting = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>Setting: where an OpenTelemetry collector listens.</summary>
    public const string OtlpSetting = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Setting: <c>true</c> writes telemetry to standard output.</summary>
    public const string ConsoleSetting = "TelemetryToConsole";

    private const double TracesPerSecond = 20;

    /// <summary>Whether a setting asks for an exporter.</summary>
    public static bool IsExported(IConfiguration configuration) =>
        IsSet(configuration, AzureSetting) || IsSet(configuration, OtlpSetting) || ToConsole(configuration);

    /// <summary>
    /// Sends spans, metrics and logs where settings say: to Azure Monitor, to a collector, to the console, or to several of
    /// them. Where none is set nothing is registered.
    /// </summary>
    internal static void AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        // The storage clients make spans only with this switch, which they read once, at the first call.
        AppContext.SetSwitch("Azure.Experimental.EnableActivitySource", true);
        if (!IsExported(configuration))
        {
            return;
        }

        var console = ToConsole(configuration);
        var telemetry = services
            .AddOpenTelemetry()
            // Last, so that OTEL_SERVICE_NAME wins.
            .ConfigureResource(resource =>
                resource.Clear().AddService(Name).AddTelemetrySdk().AddEnvironmentVariableDetector()
            )
            .WithTracing(tracing =>
            {
                tracing.AddSource(Name, "Azure.*");
                _ = console ? tracing.AddConsoleExporter() : tracing;
            })
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Name);
                _ = console ? metrics.AddConsoleExporter() : metrics;
            })
            .WithLogging(logging => _ = console ? logging.AddConsoleExporter() : logging);
        if (IsSet(configuration, OtlpSetting))
        {
            telemetry.UseOtlpExporter();
        }

        if (IsSet(configuration, AzureSetting))
        {
            var (address, identity) = (configuration[AzureSetting], Identity(configuration[AzureIdentitySetting]));
            telemetry.UseAzureMonitorExporter(azure => Configure(azure, address, identity));
        }

        services.AddLogging(logging =>
            logging
                // A line for each request is for a console; exporters get metrics and spans of it.
                .AddFilter<OpenTelemetryLoggerProvider>("ImagesFunctions.Requests", LogLevel.Warning)
                .AddFilter<OpenTelemetryLoggerProvider>("Azure", LogLevel.Warning)
                .AddFilter<OpenTelemetryLoggerProvider>("Microsoft", LogLevel.Warning)
        );
    }

    private static void Configure(AzureMonitorExporterOptions azure, string? address, TokenCredential? identity)
    {
        azure.ConnectionString = address;
        azure.Credential = identity;
        azure.TracesPerSecond = TracesPerSecond;
        // Warnings and errors are few, and are wanted even when the span is not sampled.
        azure.EnableTraceBasedLogsSampler = false;
        // Live metrics would keep an idle instance busy.
        azure.EnableLiveMetrics = false;
    }

    private static ManagedIdentityCredential? Identity(string? text)
    {
        var parts = (text ?? "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2))
            .Where(part => part.Length == 2)
            .ToLookup(part => part[0], part => part[1], StringComparer.OrdinalIgnoreCase);
        return !parts["Authorization"].Contains("AAD", StringComparer.OrdinalIgnoreCase) ? null
            : parts["ClientId"].FirstOrDefault() is { Length: > 0 } clientId
                ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
            : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);
    }

    private static bool IsSet(IConfiguration configuration, string setting) =>
        !string.IsNullOrWhiteSpace(configuration[setting]);

    private static bool ToConsole(IConfiguration configuration) => Setting.Flag(configuration, ConsoleSetting);
}
