using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/images/rules</c>: what an account has decided about its tags.</summary>
internal static class RulesRoute
{
    /// <summary>GET, and PUT of the whole document in the place of the one before.</summary>
    public static async Task AnswerAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        access.DemandAll(Rights.Admin, "see or set the rules of the account");
        var store = context.RequestServices.GetRequiredService<RulesStore>();
        var row = HttpMethods.IsPut(context.Request.Method)
            ? await store.SetAsync(access.Account, await ReadAsync(context), access.By, context.RequestAborted)
            : await store.GetAsync(access.Account, context.RequestAborted);
        await Envelope.WriteDataAsync(
            context,
            json =>
            {
                json.WritePropertyName("rules");
                (row?.Rules ?? AccountRules.None).WriteTo(json);
                if (row is not null)
                {
                    json.WriteString("set_at", ListedImage.TimeText(row.At));
                }

                if (row?.By is { } by)
                {
                    json.WritePropertyName("set_by");
                    AuthorJson.Write(json, by);
                }
            }
        );
    }

    private static async Task<AccountRules> ReadAsync(HttpContext context)
    {
        try
        {
            return await RequestBody.ReadAsync(
                    context.Request,
                    json => AccountRules.Parse(json),
                    (AccountRules?)null,
                    context.RequestAborted
                ) ?? throw ApiException.BadRequest("The body has to be the rules: {} for none.");
        }
        catch (FormatException error)
        {
            throw ApiException.BadRequest($"The body is refused: {error.Message}.");
        }
    }
}
