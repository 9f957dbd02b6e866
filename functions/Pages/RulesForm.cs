using ImagesFunctions.Accounts;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>
/// <c>/browse/usage</c>: what an account takes, and its rules, which are tried or set, for who has <c>admin</c> on all repositories.
/// </summary>
internal static class RulesForm
{
    /// <summary>Where the form goes.</summary>
    public const string Path = BrowseRoutes.Root + "/usage";

    // The most characters of rules, each of which a form may write as three.
    private const int MaxLength = (3 * AccountRules.MaxText) + 1024;

    /// <summary>Shows them, or does what the form says.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        request.Viewer.Access.DemandAll(Rights.Admin, "see what the account takes, or see or set its rules");
        if (!request.IsPost)
        {
            await ShowRules.AnswerAsync(request);
            return;
        }

        var form = await Forms.ReadAsync(request.Http, request.Viewer, MaxLength);
        var text = form["rules"];
        AccountRules rules;
        try
        {
            rules = AccountRules.Parse(text.Length > 0 ? text : "{}");
        }
        catch (FormatException error)
        {
            await ShowRules.AnswerAsync(request, text, wrong: $"Nothing was done: {error.Message}.");
            return;
        }

        if (form["what"] != "set")
        {
            var images = request.Http.RequestServices.GetRequiredService<ImagesApp>();
            var trial = await images.TryRulesAsync(request.Viewer.Account, rules, request.Stop);
            await ShowRules.AnswerAsync(request, text, trial);
        }
        else if (await TrySetAsync(request, rules, form["version"]))
        {
            PageWriter.SeeOther(request.Http, Path);
        }
        else
        {
            await ShowRules.AnswerAsync(
                request,
                text,
                wrong: "Nothing was set: the rules were set by somebody else since this page was made. Load it again to see them."
            );
        }
    }

    // False where they are others by now than on the page.
    private static async Task<bool> TrySetAsync(PageRequest request, AccountRules rules, string version)
    {
        var store = request.Http.RequestServices.GetRequiredService<RulesStore>();
        var (account, by) = (request.Viewer.Account, request.Viewer.Access.By);
        if (ShowRules.VersionOf(await store.GetAsync(account, request.Stop)) != version)
        {
            return false;
        }

        await store.SetAsync(account, rules, by, request.Stop);
        return true;
    }
}
