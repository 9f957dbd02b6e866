using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/metros</c> of the control plane: this installation is the only metro.</summary>
internal static class MetrosRoute
{
    public static Task ShowAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        context.Response.Headers.CacheControl = "no-store";
        var metro = context.RequestServices.GetRequiredService<Metro>();
        return Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "metros",
            [metro],
            (body, _) =>
            {
                Envelope.WriteObject(
                    body,
                    json =>
                    {
                        json.WriteString("uuid", StableUuid.Of("metro", PublicAddress.HostOf(context)));
                        json.WriteString("endpoint", PublicAddress.BaseOf(context));
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
