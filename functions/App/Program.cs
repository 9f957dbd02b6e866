using ImagesFunctions;
using ImagesFunctions.Settings;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
try
{
    builder.Services.AddImages(builder.Configuration);
}
catch (InvalidSettingException wrong)
{
    // The host shows what a worker that ends has said.
    Console.Error.WriteLine(wrong.Message);
    return 1;
}

builder.Services.AddRouting();

// The levels of host.json are the host's own. Without this the worker sends it two lines for each request.
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
if (TelemetryExport.IsExported(builder.Configuration))
{
    // From here on the host leaves the telemetry of this process to it.
    builder.Services.AddOpenTelemetry().UseFunctionsWorkerDefaults();
}

builder.Services.Configure<KestrelServerOptions>(kestrel =>
{
    kestrel.AddServerHeader = false;
    // Kestrel's own limit of 30,000,000 bytes would end a large request with an empty 500 before the pipeline sees it.
    kestrel.Limits.MaxRequestBodySize = null;
    // A source may pause: the pipeline bounds how long.
    kestrel.Limits.MinRequestBodyDataRate = null;
});

// The pipeline that Kestrel runs locally, built once; every HTTP trigger hands its request to it.
builder.Services.AddSingleton<RequestDelegate>(services =>
{
    var app = new ApplicationBuilder(services);
    app.Use(
        async (context, next) =>
        {
            // The worker has already chosen the function as the endpoint, and routing keeps an endpoint that is set.
            context.SetEndpoint(null);
            context.Request.RouteValues.Clear();
            await next(context);
        }
    );
    app.UseRouting();
    app.UseEndpoints(endpoints => endpoints.MapImages());
    return app.Build();
});

builder.Build().Run();
return 0;
