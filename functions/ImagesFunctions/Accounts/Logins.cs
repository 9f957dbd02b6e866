using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Accounts;

/// <summary>
/// Authenticates requests within <see cref="Limits"/>. A failed login gets the same answer after the same work, whether the
/// account, the token's id or its secret is wrong, or the token has expired.
/// </summary>
internal sealed class Logins(Tokens tokens, Limits limits, IConfiguration configuration, Identities identities)
{
    /// <summary>Setting: the header that holds the client's address; "": the connection's address is the client's.</summary>
    public const string AddressSetting = "ClientAddressHeader";

    // The base64 of a colon: clients that want to be anonymous may send it.
    private const string NoUser = "Basic Og==";

    private const int Remembered = 65_536;

    private readonly string? _header = configuration[AddressSetting] is { Length: > 0 } header ? header : null;

    // Parts of the hashes of secrets that were valid when they were last looked up. Only a caller with such a secret passes a
    // blocked address; its token is looked up like any other.
    private readonly long[] _known = new long[Remembered];

    /// <summary>What the owner of these credentials may do; null when they are not valid.</summary>
    /// <param name="context">The request.</param>
    /// <param name="credentials">The credentials of the request; null: they cannot be parsed.</param>
    /// <param name="prefetch">
    /// Starts reads for the claimed account while the token is read. Called only for credentials that were valid before; the
    /// reads must do no harm if these are not.
    /// </param>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    public Task<Access?> AuthenticateAsync(
        HttpContext context,
        Credentials? credentials,
        Action<HttpContext, string>? prefetch = null
    ) =>
        CheckAsync(
            context,
            credentials is null ? null : Convert.FromHexString(credentials.SecretHash),
            credentials?.Account,
            () =>
                credentials is null
                    ? Task.FromResult<Access?>(null)
                    : tokens.AuthenticateAsync(credentials, context.RequestAborted),
            prefetch
        );

    /// <summary>As <see cref="AuthenticateAsync"/>, for a token of an issuer that accounts may trust.</summary>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    /// <exception cref="IssuerUnavailableException">The keys of its issuer cannot be had.</exception>
    /// <exception cref="BadHttpRequestException">Several accounts trust it, and the request names none of them.</exception>
    public Task<Access?> AuthenticateIdentityAsync(HttpContext context, IdentityToken token) =>
        // Whose login fails is not known: nobody's name is counted.
        CheckAsync(
            context,
            SHA256.HashData(Encoding.ASCII.GetBytes(token.Text)),
            claimed: null,
            () => identities.AuthenticateAsync(token, context.RequestAborted)
        );

    // The hash stands for the credentials; null where they cannot be parsed.
    private async Task<Access?> CheckAsync(
        HttpContext context,
        byte[]? hash,
        string? claimed,
        Func<Task<Access?>> authenticate,
        Action<HttpContext, string>? prefetch = null
    )
    {
        var address = AddressOf(context);
        var (slot, mark) = hash is null ? (0, 0) : MarkOf(hash);
        var isKnown = hash is not null && Volatile.Read(ref _known[slot]) == mark;
        if (!isKnown)
        {
            // Before any read, so that a flood of guesses does not become a flood of reads.
            limits.Login(address);
        }
        else if (claimed is not null)
        {
            prefetch?.Invoke(context, claimed);
        }

        Access? access;
        try
        {
            access = await authenticate();
        }
        catch (IssuerUnavailableException)
        {
            // Nobody knows whether it is a guess.
            limits.Failed(address, claimed);
            throw;
        }

        if (access is null)
        {
            if (isKnown)
            {
                // Revoked or expired since: from now on it is limited like any other guess. Another token may have taken its slot.
                Interlocked.CompareExchange(ref _known[slot], 0, mark);
            }

            limits.Failed(address, claimed);
            return null;
        }

        Volatile.Write(ref _known[slot], mark);
        limits.Request(access.Account);
        return access;
    }

    /// <summary>What a caller without credentials may do; null where a login is needed for everything.</summary>
    /// <param name="context">The request, which is one to read something official.</param>
    /// <exception cref="TooManyRequestsException">The address sends too many.</exception>
    public Access? Anonymous(HttpContext context)
    {
        if (!IsAnonymous(context))
        {
            return null;
        }

        limits.Anonymous(AddressOf(context));
        return Access.Anonymous;
    }

    /// <summary>Whether a request has no credentials, or an empty user and password, and that is allowed.</summary>
    internal bool IsAnonymous(HttpContext context) =>
        limits.AllowsAnonymous
        && (
            context.Request.Headers.Authorization is not [{ Length: > 0 } header]
            || header.Equals(NoUser, StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>The client's address as text; of IPv6 the first half, which is what one client has.</summary>
    internal string AddressOf(HttpContext context)
    {
        // The last value is what the nearest proxy saw; the client can choose those before it.
        var named =
            _header is null ? null
            : context.Request.Headers[_header] is [.., { } last] ? last.Split(',')[^1].Trim()
            : null;
        // Some proxies add the port.
        var address = IPEndPoint.TryParse(named ?? "", out var endpoint)
            ? endpoint.Address
            : context.Connection.RemoteIpAddress;
        if (address is null)
        {
            return "";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    private static (int Slot, long Mark) MarkOf(byte[] hash) =>
        ((int)(BitConverter.ToUInt32(hash, 8) % Remembered), BitConverter.ToInt64(hash) | 1);
}
