using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/images/usage</c>: what an account takes, and how much it may.</summary>
internal static class UsageRoute
{
    public static async Task ShowAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        access.DemandAll(Rights.Admin, "see what the account takes");
        var reader = context.RequestServices.GetRequiredService<UsageReader>();
        var usage = await reader.ReadAsync(access.Account, context.RequestAborted);
        await Envelope.WriteDataAsync(
            context,
            json =>
            {
                json.WriteString("account", access.Account);
                if (usage.At is { } at)
                {
                    json.WriteString("collected_at", ListedImage.TimeText(at));
                }

                if (usage.Quota is { } quota)
                {
                    json.WriteNumber("quota", quota);
                }

                json.WriteNumber("bytes", usage.Bytes);
                json.WriteNumber("blobs", usage.Blobs);
                json.WriteNumber("images", usage.Images);
                json.WriteNumber("tags", usage.Tags);
                json.WriteStartArray("repositories");
                foreach (var repository in usage.Repositories)
                {
                    json.WriteStartObject();
                    json.WriteString("name", Repository.Of(access.Account, repository.App).DisplayName);
                    json.WriteNumber("bytes", repository.Bytes);
                    json.WriteNumber("blobs", repository.Blobs);
                    json.WriteNumber("images", repository.Images);
                    json.WriteNumber("tags", repository.Tags);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }
        );
    }
}
