using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Accounts;

/// <summary>Reads the header <c>Authorization</c> (RFC 9110, section 11.6.2), in which both APIs take tokens.</summary>
internal static class AuthorizationHeader
{
    private const string Basic = "Basic ";
    private const string Bearer = "Bearer ";

    /// <summary>What the sender of a request may do; null when the request has no valid token.</summary>
    /// <param name="logins">Checks the token.</param>
    /// <param name="context">The request.</param>
    /// <param name="basic">Whether the scheme Basic is accepted as well.</param>
    /// <param name="prefetch">See <see cref="Logins.AuthenticateAsync"/>.</param>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    public static async Task<Access?> AccessAsync(
        this Logins logins,
        HttpContext context,
        bool basic,
        Action<HttpContext, string>? prefetch = null
    )
    {
        // A scheme's name is case-insensitive (RFC 9110, 11.1).
        if (context.Request.Headers.Authorization is not [{ } header] || logins.IsAnonymous(context))
        {
            return null;
        }

        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return await logins.OfTokenAsync(
                context,
                header[Bearer.Length..].Trim(),
                AccountsOf(context, user: null),
                prefetch
            );
        }

        if (basic && header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            var value = header[Basic.Length..].Trim();
            var isRead = Credentials.TryParseBasic(value, out var credentials);
            if (!isRead && IdentityToken.TryParseBasic(value, out var user, out var identity))
            {
                return await logins.AuthenticateIdentityAsync(
                    context,
                    new IdentityToken(identity, AccountsOf(context, user))
                );
            }

            return await logins.AuthenticateAsync(context, isRead ? credentials : null, prefetch);
        }

        return null;
    }

    /// <summary>What the holder of a token may do, one of ours or one of a trusted issuer; null when it is not valid.</summary>
    /// <param name="logins">Checks the token.</param>
    /// <param name="context">The request.</param>
    /// <param name="text">The text of the token.</param>
    /// <param name="accounts">The accounts that the request names, by which one of several that trust an issuer is chosen.</param>
    /// <param name="prefetch">See <see cref="Logins.AuthenticateAsync"/>.</param>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    public static Task<Access?> OfTokenAsync(
        this Logins logins,
        HttpContext context,
        string text,
        IReadOnlyList<string> accounts,
        Action<HttpContext, string>? prefetch = null
    ) =>
        IdentityToken.IsOne(text)
            ? logins.AuthenticateIdentityAsync(context, new IdentityToken(text, accounts))
            : logins.AuthenticateAsync(context, Credentials.TryParse(text, out var token) ? token : null, prefetch);

    // The accounts that a request names: the user, the first part of a repository, the parameter `namespace`.
    private static List<string> AccountsOf(HttpContext context, string? user)
    {
        var names = new List<string>();
        if (user is not null)
        {
            names.Add(Credentials.AccountOf(user));
        }

        if (context.Request.Path.Value?.Split('/', 4) is ["", "v2" or "boot", var first, ..])
        {
            names.Add(first);
        }
        else if (context.Request.Query["namespace"] is [{ } asked, ..])
        {
            names.Add(asked.Split('/', 2)[0]);
        }

        return names;
    }
}
