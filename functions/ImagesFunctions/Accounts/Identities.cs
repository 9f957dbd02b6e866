using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Policy;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ImagesFunctions.Accounts;

/// <summary>A token of an issuer (JSON Web Token, RFC 7519), as a client sent it.</summary>
/// <param name="Text">The token.</param>
/// <param name="Accounts">The accounts that the request names, by which one of several is chosen.</param>
internal sealed record IdentityToken(string Text, IReadOnlyList<string> Accounts)
{
    private const int MaxText = 16 * 1_024;
    private const int MaxUser = 300;
    private const int MaxPair = (MaxText + MaxUser + 2) / 3 * 4;

    /// <summary>Whether a text looks like one that is signed: three parts, of at most 16 KiB together.</summary>
    public static bool IsOne(ReadOnlySpan<char> text) =>
        text.Length <= MaxText && text.StartsWith("eyJ", StringComparison.Ordinal) && text.Count('.') == 2;

    /// <summary>Reads the value of an Authorization header of the scheme Basic whose password is such a token. Any user will do.</summary>
    public static bool TryParseBasic(
        string value,
        [NotNullWhen(true)] out string? user,
        [NotNullWhen(true)] out string? token
    )
    {
        (user, token) = (null, null);
        if (value.Length > MaxPair)
        {
            return false;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(MaxPair);
        try
        {
            if (!Convert.TryFromBase64String(value, bytes, out var length))
            {
                return false;
            }

            var pair = Encoding.UTF8.GetString(bytes, 0, length);
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !IsOne(pair.AsSpan(colon + 1)))
            {
                return false;
            }

            (user, token) = (pair[..colon], pair[(colon + 1)..]);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
        }
    }
}

/// <summary>
/// Checks tokens of issuers that accounts trust. The rules are read for each request. Nothing in a token is believed before its
/// signature is checked, but its issuer, by which rules are looked up, and the name of its key, by which a key is.
/// </summary>
internal sealed class Identities(TrustRules rules, IssuerKeys keys, StorageClock clock, ILogger<Identities> log)
{
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(60);

    // Never none, and never one that takes a public key for a secret.
    private static readonly string[] s_algorithms =
    [
        SecurityAlgorithms.RsaSha256,
        SecurityAlgorithms.RsaSha384,
        SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.RsaSsaPssSha384,
        SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256,
        SecurityAlgorithms.EcdsaSha384,
        SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly JsonWebTokenHandler s_handler = new();

    /// <summary>What the holder of a token may do; null when it is not valid, or no rule is about it. Why not is in the log alone.</summary>
    /// <exception cref="IssuerUnavailableException">The keys of its issuer cannot be had.</exception>
    /// <exception cref="BadHttpRequestException">Rules of several accounts are about it, and the request names none of them.</exception>
    public async Task<Access?> AuthenticateAsync(IdentityToken token, CancellationToken cancellationToken)
    {
        if (Read(token.Text) is not { } parsed)
        {
            return null;
        }

        var ofIssuer = await rules.OfIssuerAsync(parsed.Issuer, cancellationToken);
        if (ofIssuer.Count == 0)
        {
            return null;
        }

        var issuer = ofIssuer[0].Condition.Issuer;
        // A critical extension must be understood (RFC 7515, 4.1.11), and none is.
        if (
            !s_algorithms.Contains(parsed.Alg, StringComparer.Ordinal)
            || parsed.TryGetHeaderValue<object>("crit", out _)
        )
        {
            return Refused(issuer, "its algorithm or an extension is not accepted");
        }

        var found = await keys.OfAsync(issuer, parsed.Kid, cancellationToken);
        var signing = found.Where(k => string.IsNullOrEmpty(k.Alg) || k.Alg == parsed.Alg).ToList();
        if (signing.Count == 0)
        {
            return Refused(issuer, "the issuer has no such key");
        }

        var result = await s_handler.ValidateTokenAsync(parsed, Parameters(issuer, ofIssuer, signing));
        if (!result.IsValid)
        {
            return Refused(issuer, result.Exception?.GetType().Name ?? "it is not valid");
        }

        using var claims = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(parsed.EncodedPayload));
        var met = ofIssuer.Where(r => r.Condition.IsMetBy(claims.RootElement)).ToList();
        return met.Count == 0
            ? Refused(issuer, "no rule is about its claims")
            : Chosen(met, token.Accounts) with
            {
                By = Author.OfIdentity(issuer, TrustCondition.SubjectOf(claims.RootElement)),
            };
    }

    /// <summary>What a text says that looks like a token, unchecked; null where it is none.</summary>
    internal static JsonWebToken? Read(string text)
    {
        try
        {
            // What is read lazily is read here, where what anybody wrote may be malformed.
            return
                new JsonWebToken(text)
                    is { Issuer.Length: > 0, Alg: not null, Kid: null or { Length: <= 1_024 } } parsed
                ? parsed
                : null;
        }
        catch (Exception error)
            when (error
                    is ArgumentException
                        or FormatException
                        or InvalidOperationException
                        or SecurityTokenException
                        or JsonException
            )
        {
            return null;
        }
    }

    private TokenValidationParameters Parameters(
        string issuer,
        IReadOnlyList<TrustRule> ofIssuer,
        List<JsonWebKey> signing
    ) =>
        new()
        {
            ValidIssuer = issuer,
            ValidAlgorithms = s_algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            IssuerSigningKeyResolver = (_, _, _, _) => signing,
            AudienceValidator = (audiences, _, _) =>
                ofIssuer.Any(r => audiences.Contains(r.Condition.Audience, StringComparer.Ordinal)),
            // By storage's clock, as the ends of all tokens are.
            LifetimeValidator = (from, until, _, _) =>
                until is { } end
                && end > clock.UtcNow.UtcDateTime - s_skew
                && (from is not { } begin || begin <= clock.UtcNow.UtcDateTime + s_skew),
        };

    // Only accounts with a rule that is met count, so that nobody learns whom another account trusts.
    private static Access Chosen(List<TrustRule> met, IReadOnlyList<string> named)
    {
        var accounts = met.Select(r => r.Account).Distinct(StringComparer.Ordinal).ToList();
        var account =
            named.FirstOrDefault(accounts.Contains)
            ?? (
                accounts.Count == 1
                    ? accounts[0]
                    : throw new BadHttpRequestException(
                        "Several accounts trust this token: name one as the user, or by the parameter namespace.",
                        StatusCodes.Status400BadRequest
                    )
            );
        return new Access(account, [.. met.Where(r => r.Account == account).Select(r => r.Grant)]);
    }

    private Access? Refused(string issuer, string reason)
    {
        log.LogInformation("A token of {Issuer} was refused: {Reason}", issuer, reason);
        return null;
    }
}
