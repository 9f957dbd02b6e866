using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Accounts;

/// <summary>
/// Finds out who sent a request, within <see cref="Limits"/>. A login that fails is answered the same, after the same work,
/// whether the account, the token's id or its secret is wrong, or the token has expired.
/// </summary>
internal sealed class Logins(Tokens tokens, Limits limits, IConfiguration configuration)
{
    /// <summary>Setting: the header that holds the client's address; "": the connection's address is the client's.</summary>
    public const string AddressSetting = "ClientAddressHeader";

    private const int Remembered = 65_536;

    private readonly string? _header = configuration[AddressSetting] is { Length: > 0 } header ? header : null;

    // Parts of the hashes of secrets that were good here when they were last looked up. Only those who have one get past an
    // address that is blocked.
    private readonly long[] _known = new long[Remembered];

    /// <summary>Whose credentials these are, or null when they are no good.</summary>
    /// <param name="context">The request.</param>
    /// <param name="credentials">What it shows; null: something that nobody can read.</param>
    /// <param name="prefetch">
    /// Begins what does no harm if the account turns out not to be the caller's, while the token is read; only for credentials
    /// that were good here before.
    /// </param>
    /// <exception cref="TooManyRequestsException">The account or the client is over a limit.</exception>
    public async Task<Caller?> AuthenticateAsync(
        HttpContext context,
        Credentials? credentials,
        Action<HttpContext, string>? prefetch = null
    )
    {
        var address = AddressOf(context);
        var (slot, mark) = credentials is null ? (0, 0) : MarkOf(credentials);
        var isKnown = credentials is not null && Volatile.Read(ref _known[slot]) == mark;
        if (!isKnown)
        {
            // Before anything is read, so that a flood of guesses is no flood of reads.
            limits.Login(address);
        }
        else
        {
            prefetch?.Invoke(context, credentials!.Account);
        }

        var caller = credentials is null ? null : await tokens.AuthenticateAsync(credentials, context.RequestAborted);
        if (caller is null)
        {
            if (isKnown)
            {
                // Revoked or expired since: from now on it waits like any other guess. Another token may have its place by now.
                Interlocked.CompareExchange(ref _known[slot], 0, mark);
            }

            limits.Failed(address, credentials?.Account);
            return null;
        }

        Volatile.Write(ref _known[slot], mark);
        limits.Request(caller.Account);
        return caller;
    }

    /// <summary>The client's address as text; of IPv6 the first half, which is what one client has.</summary>
    internal string AddressOf(HttpContext context)
    {
        // The last one is what the nearest proxy saw; those before it are what the client likes to say.
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

    private static (int Slot, long Mark) MarkOf(Credentials credentials)
    {
        var hash = Convert.FromHexString(credentials.SecretHash);
        return ((int)(BitConverter.ToUInt32(hash, 8) % Remembered), BitConverter.ToInt64(hash) | 1);
    }
}
