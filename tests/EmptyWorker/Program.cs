using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddSingleton(
    new ImagesFunctions.EmptyWorker.Bytes(File.ReadAllBytes(builder.Configuration["Bytes"]!))
);
builder.Build().Run();

namespace ImagesFunctions.EmptyWorker
{
    /// <summary>What every request is answered with: the file that the setting <c>Bytes</c> names.</summary>
    public sealed record Bytes(byte[] Content);

    /// <summary>The catch-all of the function app.</summary>
    public sealed class Site(Bytes bytes)
    {
        [Function(nameof(Site))]
        public async Task<IActionResult> Run(
            [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "{*path}")] HttpRequest request
        )
        {
            request.HttpContext.Response.ContentType = "application/json";
            request.HttpContext.Response.ContentLength = bytes.Content.Length;
            await request.HttpContext.Response.Body.WriteAsync(bytes.Content, request.HttpContext.RequestAborted);
            return new EmptyResult();
        }
    }
}
