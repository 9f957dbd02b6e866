using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/metros</c> of the control plane: this installation, and the others that its settings name.</summary>
internal static class MetrosRoute
{
    public static Task ShowAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        context.Response.Headers.CacheControl = "no-store";
        var metros = context.RequestServices.GetRequiredService<Metros>();
        return Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "metros",
            metros.All,
            (body, metro) =>
            {
                Envelope.WriteObject(
                    body,
                    json =>
                    {
                        var host = metro.Endpoint?.Authority ?? PublicAddress.HostOf(context);
                        json.WriteString("uuid", StableUuid.Of("metro", host));
                        json.WriteString(
                            "endpoint",
                            metro.Endpoint?.ToString().TrimEnd('/') ?? PublicAddress.BaseOf(context)
                        );
                        json.WriteString("name", metro.Name);
                        json.WriteString("iata_code", metro.Code);
                        json.WriteString("country", metro.Country);
                    }
                );
                return ValueTask.CompletedTask;
            }
        );
    }
}
