using ImagesFunctions;
using ImagesFunctions.Pages;
using ImagesFunctions.Settings;
using ImagesFunctions.Telemetry;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
try
{
    builder.Services.AddImages(builder.Configuration).AddPages();
}
catch (InvalidSettingException wrong)
{
    // The host shows what a worker that ends has said.
    Console.Error.WriteLine(wrong.Message);
    return 1;
}

// The levels of host.json are the host's own. Without this the worker sends it two lines for each request.
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
if (TelemetryExport.IsExported(builder.Configuration))
{
    // From here on the host leaves the telemetry of this process to it.
    builder.Services.AddOpenTelemetry().UseFunctionsWorkerDefaults();
}

builder.Build().Run();
return 0;
