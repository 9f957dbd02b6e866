using ImagesFunctions.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/tokens/trust</c>: makes and removes rules, for who may do everything in the account.</summary>
internal static class TrustForms
{
    /// <summary>Where a form makes one.</summary>
    public const string Path = TokenForms.Path + "/trust";

    /// <summary>Where a form removes one.</summary>
    public const string RemovePath = Path + "/remove";

    /// <summary>Makes one, about an issuer that the account trusts already.</summary>
    public static async Task AddAsync(PageRequest request)
    {
        ShowTokens.Demand(request.Viewer);
        var form = await Forms.ReadAsync(request.Http, request.Viewer);
        try
        {
            var subject = form["subject"];
            var condition = new TrustCondition(
                form["issuer"],
                form["audience"],
                subject.Length > 0 ? subject : null,
                TrustCondition.ParseClaims(form.Lines("claims"))
            );
            await Rules(request)
                .AddOfHolderAsync(request.Viewer.Account, condition, ShowTokens.GrantOf(form), request.Stop);
        }
        catch (FormatException error)
        {
            await ShowTokens.AnswerAsync(request, wrong: $"No rule was made: {error.Message}.");
            return;
        }

        PageWriter.SeeOther(request.Http, TokenForms.Path);
    }

    /// <summary>Removes one, also one that was made by an operator.</summary>
    public static async Task RemoveAsync(PageRequest request)
    {
        ShowTokens.Demand(request.Viewer);
        var form = await Forms.ReadAsync(request.Http, request.Viewer);
        if (!await Rules(request).RemoveAsync(request.Viewer.Account, form["id"], request.Stop))
        {
            throw PageException.NotFound();
        }

        PageWriter.SeeOther(request.Http, TokenForms.Path);
    }

    private static TrustRules Rules(PageRequest request) =>
        request.Http.RequestServices.GetRequiredService<TrustRules>();
}
