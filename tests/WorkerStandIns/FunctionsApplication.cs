// Stand-ins, for tests only: the worker's builder, on an ASP.NET Core application that has nothing but Kestrel, so that
// what App's Program.cs forgets to register is missing here too.
using ImagesFunctions.WorkerStandIns;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Azure.Functions.Worker.Builder;

public static class FunctionsApplication
{
    public static FunctionsApplicationBuilder CreateBuilder(string[] args) => new(args, FunctionsHost.Starting);
}

public sealed class FunctionsApplicationBuilder
{
    private readonly FunctionsHost _host;
    private readonly WebApplicationBuilder _builder;

    internal FunctionsApplicationBuilder(string[] args, FunctionsHost host)
    {
        _host = host;
        _builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { Args = args });
        _builder.Configuration.AddInMemoryCollection(host.Settings);
        _builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
    }

    public ConfigurationManager Configuration => _builder.Configuration;

    public ILoggingBuilder Logging => _builder.Logging;

    public IServiceCollection Services => _builder.Services;

    internal bool ServesHttp { get; set; }

    public IHost Build()
    {
        var app = _builder.Build();
        _host.Attach(app, ServesHttp);
        return app;
    }
}

public static class FunctionsApplicationBuilderAspNetCoreExtensions
{
    public static FunctionsApplicationBuilder ConfigureFunctionsWebApplication(this FunctionsApplicationBuilder builder)
    {
        builder.ServesHttp = true;
        return builder;
    }
}
