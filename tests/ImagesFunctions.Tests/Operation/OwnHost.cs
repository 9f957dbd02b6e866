using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImagesFunctions.Tests.Operation;

/// <summary>A local host of a test's own, with storage of its own.</summary>
internal sealed class OwnHost : IAsyncDisposable
{
    private OwnHost(WebApplication app, RunningHost running)
    {
        App = app;
        Running = running;
    }

    public WebApplication App { get; }

    public RunningHost Running { get; }

    public static async Task<OwnHost> StartAsync(
        Action<IServiceCollection>? configure = null,
        params (string Name, string Value)[] settings
    )
    {
        var configuration = Settings(settings);
        var app = LocalHost.Build(
            await Storages.NewAsync(),
            "http://127.0.0.1:0",
            services =>
            {
                services.Replace(ServiceDescriptor.Singleton(_ => new Limits(configuration)));
                services.Replace(
                    ServiceDescriptor.Singleton(s => new Logins(
                        s.GetRequiredService<Tokens>(),
                        s.GetRequiredService<Limits>(),
                        configuration,
                        s.GetRequiredService<Identities>()
                    ))
                );
                configure?.Invoke(services);
            }
        );
        await app.StartAsync(TestContext.Current.CancellationToken);
        var client = new HttpClient { BaseAddress = app.Address() };
        return new OwnHost(app, new RunningHost(client, app.Services));
    }

    public static IConfiguration Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)))
            .Build();

    public async ValueTask DisposeAsync()
    {
        Running.Http.Dispose();
        await App.StopAsync(CancellationToken.None);
        await App.DisposeAsync();
    }
}
