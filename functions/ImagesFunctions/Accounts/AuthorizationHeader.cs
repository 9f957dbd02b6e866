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
        if (context.Request.Headers.Authorization is not [{ } header])
        {
            return null;
        }

        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            var isRead = Credentials.TryParse(header[Bearer.Length..].Trim(), out var token);
            return await logins.AuthenticateAsync(context, isRead ? token : null, prefetch);
        }

        if (basic && header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            var isRead = Credentials.TryParseBasic(header[Basic.Length..].Trim(), out var credentials);
            return await logins.AuthenticateAsync(context, isRead ? credentials : null, prefetch);
        }

        return null;
    }
}
