using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace ImagesFunctions.Accounts;

/// <summary>The keys of a trusted issuer cannot be had now: the answer is 503.</summary>
internal sealed class IssuerUnavailableException()
    : Exception("The issuer of this token does not answer now: try again.");

/// <summary>
/// The public keys of issuers, by discovery (OpenID Connect Discovery 1.0, section 4). They are kept, and asked for again after an hour,
/// and for a key that is not known at most every five minutes. While an issuer does not answer, what is known goes on.
/// </summary>
/// <param name="documents">Fetches within bounds.</param>
/// <param name="time">Measures how old keys are.</param>
/// <param name="log">Says why keys cannot be had.</param>
internal sealed class IssuerKeys(IDocumentRetriever documents, TimeProvider time, ILogger<IssuerKeys> log)
{
    /// <summary>The shortest time between two questions for the same issuer's unknown keys, and after a failed one while keys are known.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromMinutes(5);

    private const int MaxKeys = 100;
    private const int MaxKeyBits = 8_192;
    private const int MinRsaBits = 2_048;
    private static readonly TimeSpan s_maxAge = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_maxFetch = TimeSpan.FromSeconds(10);

    // While nothing is known every login fails: it is tried again soon.
    private static readonly TimeSpan s_coldInterval = TimeSpan.FromSeconds(10);

    // Only issuers that trust rules name.
    private readonly ConcurrentDictionary<string, Issuer> _issuers = new(StringComparer.Ordinal);

    private sealed class Issuer
    {
        public Lock Gate { get; } = new();

        public List<JsonWebKey>? Keys { get; set; }

        public long FetchedAt { get; set; }

        public long? AskedAt { get; set; }

        // When somebody last asked for a key that was not known, and was believed.
        public long? UnknownAt { get; set; }

        public Task? Fetch { get; set; }
    }

    /// <summary>The keys that may have signed a token.</summary>
    /// <param name="issuer">The issuer, as a trust rule has it.</param>
    /// <param name="keyId">The key that the token names (<c>kid</c>); null or empty: any.</param>
    /// <param name="cancellationToken">Ends this caller's wait.</param>
    /// <returns>None where the issuer has no such key.</returns>
    /// <exception cref="IssuerUnavailableException">No key of the issuer is known, and it does not say one.</exception>
    public async Task<IReadOnlyList<JsonWebKey>> OfAsync(
        string issuer,
        string? keyId,
        CancellationToken cancellationToken
    )
    {
        var known = _issuers.GetOrAdd(issuer, _ => new Issuer());
        var (found, fetch) = Look(issuer, known, keyId);
        if (found.Count == 0 && fetch is not null)
        {
            await fetch.WaitAsync(cancellationToken);
            found = Named(known.Keys, keyId);
        }

        return known.Keys is null ? throw new IssuerUnavailableException() : found;
    }

    // What is known, and what is worth to wait for where that is nothing.
    private (IReadOnlyList<JsonWebKey> Found, Task? Fetch) Look(string issuer, Issuer known, string? keyId)
    {
        lock (known.Gate)
        {
            var found = Named(known.Keys, keyId);
            var isUnknown = known.Keys is not null && found.Count == 0;
            var isDue =
                known.Keys is null ? IsOver(known.AskedAt, s_coldInterval)
                : isUnknown ? IsOver(known.UnknownAt, MinInterval)
                : IsOver(known.FetchedAt, s_maxAge) && IsOver(known.AskedAt, MinInterval);
            if (known.Fetch is null && isDue)
            {
                known.AskedAt = time.GetTimestamp();
                known.UnknownAt = isUnknown ? known.AskedAt : known.UnknownAt;
                var fetch = FetchAsync(issuer, known);
                known.Fetch = fetch;
                return (Named(known.Keys, keyId), fetch);
            }

            return (found, known.Fetch);
        }
    }

    private bool IsOver(long? since, TimeSpan interval) => since is not { } at || time.GetElapsedTime(at) >= interval;

    // Never fails: what it learns it writes down. It belongs to no request, so that none of them ends it for the others.
    private async Task FetchAsync(string issuer, Issuer known)
    {
        await Task.Yield();
        List<JsonWebKey>? keys = null;
        try
        {
            using var deadline = new CancellationTokenSource(s_maxFetch, time);
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(
                $"{issuer.TrimEnd('/')}/.well-known/openid-configuration",
                documents,
                deadline.Token
            );
            keys = KeysOf(issuer, configuration);
        }
        catch (Exception error)
        {
            log.LogWarning("The keys of the issuer {Issuer} cannot be had: {Reason}", issuer, error.GetType().Name);
        }

        lock (known.Gate)
        {
            known.Fetch = null;
            if (keys is not null)
            {
                (known.Keys, known.FetchedAt) = (keys, time.GetTimestamp());
            }
        }
    }

    // A document of another issuer at this address says nothing of this one (OpenID Connect Discovery 1.0, 4.3).
    private static List<JsonWebKey> KeysOf(string issuer, OpenIdConnectConfiguration configuration) =>
        configuration.Issuer == issuer && configuration.JsonWebKeySet is { Keys.Count: > 0 and <= MaxKeys } set
            ? set.Keys.Where(IsUsable).ToList()
            : throw new InvalidOperationException("the document is another issuer's, or has no keys or too many");

    private static bool IsUsable(JsonWebKey key)
    {
        try
        {
            return key.Use is null or "" or "sig"
                && key.Kty switch
                {
                    JsonWebAlgorithmsKeyTypes.RSA => key.KeySize is >= MinRsaBits and <= MaxKeyBits
                        && key.E is { Length: <= 8 },
                    JsonWebAlgorithmsKeyTypes.EllipticCurve => key.Crv is "P-256" or "P-384" or "P-521",
                    _ => false,
                };
        }
        catch (FormatException)
        {
            // Its numbers are no base64.
            return false;
        }
    }

    private static List<JsonWebKey> Named(List<JsonWebKey>? keys, string? keyId) =>
        keys is null ? []
        : string.IsNullOrEmpty(keyId) ? keys
        : [.. keys.Where(k => k.Kid == keyId)];
}
