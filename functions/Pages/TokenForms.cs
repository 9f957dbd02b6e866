using System.Globalization;
using ImagesFunctions.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/tokens</c>: lists, makes and revokes tokens, for who may do everything in the account.</summary>
internal static class TokenForms
{
    /// <summary>Where a form makes one.</summary>
    public const string Path = BrowseRoutes.Root + "/tokens";

    /// <summary>Where a form revokes one.</summary>
    public const string RevokePath = Path + "/revoke";

    /// <summary>Lists them, or makes one.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        ShowTokens.Demand(request.Viewer);
        if (!request.IsPost)
        {
            await ShowTokens.AnswerAsync(request);
            return;
        }

        var form = await Forms.ReadAsync(request.Http, request.Viewer);
        var (made, wrong) = ("", "");
        try
        {
            var label = form["label"];
            (_, made) = await Tokens(request)
                .CreateAsync(
                    request.Viewer.Account,
                    Lifetime(form["days"]),
                    ShowTokens.GrantOf(form),
                    request.Stop,
                    label.Length > 0 ? label : null
                );
        }
        catch (FormatException error)
        {
            wrong = $"No token was made: {error.Message}.";
        }

        // Its text is stored nowhere, so that no page could show it that is asked for by GET.
        await ShowTokens.AnswerAsync(request, made, wrong);
    }

    /// <summary>Revokes one.</summary>
    public static async Task RevokeAsync(PageRequest request)
    {
        ShowTokens.Demand(request.Viewer);
        var form = await Forms.ReadAsync(request.Http, request.Viewer);
        if (!await Tokens(request).RevokeAsync(request.Viewer.Account, form["id"], request.Stop))
        {
            throw PageException.NotFound();
        }

        PageWriter.SeeOther(request.Http, Path);
    }

    private static Tokens Tokens(PageRequest request) => request.Http.RequestServices.GetRequiredService<Tokens>();

    private static TimeSpan? Lifetime(string days) =>
        days.Length == 0 ? null
        : int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is > 0 and <= 36_500
            ? TimeSpan.FromDays(number)
        : throw new FormatException($"'{days}' is no number of days");
}
