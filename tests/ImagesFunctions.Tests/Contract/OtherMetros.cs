using ImagesFunctions.Images;
using ImagesFunctions.Tests.Operation;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The metros that the control plane lists beside this installation.</summary>
public sealed class OtherMetros
{
    [Fact]
    public async Task Follow_this_one_in_the_order_of_the_setting()
    {
        var settings = OwnHost.Settings(
            (Metros.NameSetting, "Home"),
            (
                Metros.OthersSetting,
                "fra1 https://images.example/ DE Frankfurt; ewr1 https://images.example.net:444/a - New York ;"
            )
        );
        await using var own = await OwnHost.StartAsync(services =>
            services.Replace(ServiceDescriptor.Singleton(Metros.From(settings)))
        );
        var token = await own.Running.TokenForAsync("alice");

        var reply = await own.Running.AskAsync("/controlplane/v1/metros", token);

        var metros = reply.Json["data"]!["metros"]!.AsArray().Select(m => m!.AsObject()).ToList();
        Assert.Equal(
            [
                "Home|img0||",
                "Frankfurt|fra1|DE|https://images.example",
                "New York|ewr1||https://images.example.net:444/a",
            ],
            metros.Select((m, i) => $"{m["name"]}|{m["iata_code"]}|{m["country"]}|{(i == 0 ? "" : m["endpoint"])}")
        );
        Assert.Equal(3, metros.Select(m => m["uuid"]!.GetValue<string>()).Distinct().Count());
    }
}
