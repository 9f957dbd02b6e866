using ImagesFunctions.Accounts;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Pages;

/// <summary>Signing in and out.</summary>
internal static class SignInRoute
{
    /// <summary>Its path below the root of the pages.</summary>
    public const string Path = "sign-in";

    private const string Then = "then";
    private const string NotPrivate =
        "This address is neither this machine nor behind TLS: a token that is sent to it can be read on the way. Use its https address.";

    /// <summary>Sends the browser to the page to sign in, and from there to where it wanted to go.</summary>
    public static void Ask(HttpContext context)
    {
        var request = context.Request;
        Session.End(context);
        var then =
            HttpMethods.IsGet(request.Method) && request.Path.Value?.Length > BrowseRoutes.Root.Length + 1
                ? $"?{Then}={Uri.EscapeDataString(request.Path.ToUriComponent() + request.QueryString.ToUriComponent())}"
                : "";
        PageWriter.SeeOther(context, $"{BrowseRoutes.Root}/{Path}{then}");
    }

    /// <summary>The page, and its form.</summary>
    public static async Task AnswerAsync(HttpContext context)
    {
        var then = context.Request.Query[Then] is [{ } wanted] && IsOurs(wanted) ? wanted : "";
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            await ShowAsync(context, StatusCodes.Status200OK, then, Session.IsPrivate(context) ? "" : NotPrivate);
            return;
        }

        var form = await Forms.ReadAsync(context, viewer: null);
        var (account, token) = (form["account"], form["token"]);
        var wrong = !Session.IsPrivate(context) ? NotPrivate : Wrong(account, token);
        if (wrong.Length == 0)
        {
            try
            {
                if (await Session.ViewerAsync(context, account, token) is not null)
                {
                    Session.Begin(context, account, token);
                    PageWriter.SeeOther(context, then.Length > 0 ? then : BrowseRoutes.Root);
                    return;
                }

                wrong = "This token is not valid here: it may be mistyped, revoked or expired.";
            }
            catch (BadHttpRequestException several)
            {
                wrong = several.Message;
            }
        }

        await ShowAsync(context, StatusCodes.Status422UnprocessableEntity, then, wrong);
    }

    /// <summary>Ends the session.</summary>
    public static async Task EndAsync(PageRequest request)
    {
        await Forms.ReadAsync(request.Http, request.Viewer);
        Session.End(request.Http);
        PageWriter.SeeOther(request.Http, $"{BrowseRoutes.Root}/{Path}");
    }

    private static string Wrong(string account, string token) =>
        token.Length == 0 ? "Enter a token."
        : token.Length > Session.MaxToken
            ? $"This token is too long to be kept by a browser: {token.Length} characters, {Session.MaxToken} at most."
        : !token.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '=' or '-' or '_' or '.')
            ? "This is no token: it has characters that no token has."
        : account.Length > 0 && !Tokens.IsName(account) ? $"This is no name of an account: {Tokens.NameRule}."
        : "";

    private static Task ShowAsync(HttpContext context, int status, string then, string wrong) =>
        PageWriter.WriteAsync<SignInPage>(
            context,
            status,
            (
                nameof(SignInPage.Action),
                $"{BrowseRoutes.Root}/{Path}{(then.Length > 0 ? $"?{Then}={Uri.EscapeDataString(then)}" : "")}"
            ),
            (nameof(SignInPage.Wrong), wrong)
        );

    // No other site, whatever a link says: a path of ours, and nothing that a browser takes for the beginning of a host.
    private static bool IsOurs(string path) =>
        path.StartsWith(BrowseRoutes.Root, StringComparison.Ordinal)
        && (path.Length == BrowseRoutes.Root.Length || path[BrowseRoutes.Root.Length] is '/' or '?')
        && path.All(c => c is > ' ' and < '\x7f' and not '\\');
}
