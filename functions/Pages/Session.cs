using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Images;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>
/// The session of a browser: its token, in a cookie that scripts cannot read and that no other site's request carries. The token is
/// looked up for each request, so a revoked one ends its session. Nothing is kept on the server.
/// </summary>
internal static class Session
{
    /// <summary>The cookie: the account that the user named, a colon, and the token.</summary>
    public const string Cookie = "images-session";

    /// <summary>The longest token, in characters: browsers keep cookies of at most 4 KiB.</summary>
    public const int MaxToken = 3 * 1024;

    private const int MaxAccount = 128;

    /// <summary>Who has this session; null where there is none, or its token is not valid any more.</summary>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    public static async Task<Viewer?> ViewerAsync(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is not { Length: > 0 and <= MaxAccount + 1 + MaxToken } value)
        {
            return null;
        }

        var colon = value.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : await ViewerAsync(context, value[..colon], value[(colon + 1)..]);
    }

    /// <summary>Who has this token; null where it is not valid.</summary>
    /// <param name="context">The request.</param>
    /// <param name="account">The account, by which one of several that trust an issuer is chosen; else "".</param>
    /// <param name="token">The text of the token.</param>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    public static async Task<Viewer?> ViewerAsync(HttpContext context, string account, string token)
    {
        var logins = context.RequestServices.GetRequiredService<Logins>();
        string[] accounts = account.Length > 0 ? [account] : [];
        var access = await logins.OfTokenAsync(context, token, accounts);
        return access is not null && (account.Length == 0 || access.Account == account)
            ? new Viewer(access, token)
            : null;
    }

    /// <summary>Begins a session, which ends with the browser's.</summary>
    public static void Begin(HttpContext context, string account, string token) =>
        context.Response.Cookies.Append(Cookie, $"{account}:{token}", Options(context));

    /// <summary>Ends a session.</summary>
    public static void End(HttpContext context)
    {
        if (context.Request.Cookies.ContainsKey(Cookie))
        {
            context.Response.Cookies.Delete(Cookie, Options(context));
        }
    }

    /// <summary>Whether the browser keeps a token that is sent to this address: it goes over TLS, or does not leave the machine.</summary>
    public static bool IsPrivate(HttpContext context) =>
        IsLoopback(context) || PublicAddress.BaseOf(context).StartsWith("https:", StringComparison.Ordinal);

    private static CookieOptions Options(HttpContext context) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Path = BrowseRoutes.Root,
            Secure = !IsLoopback(context),
        };

    private static bool IsLoopback(HttpContext context)
    {
        var host = new HostString(PublicAddress.HostOf(context)).Host.Trim('[', ']');
        return host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }
}
