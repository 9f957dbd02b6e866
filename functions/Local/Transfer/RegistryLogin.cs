using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Local;

/// <summary>
/// Who asks a registry: nobody, a token of this service, or a user with a password. Where a registry wants another token for each
/// scope (distribution, "Token Authentication"), that is fetched from the realm that it names.
/// </summary>
internal sealed class RegistryLogin
{
    private readonly AuthenticationHeaderValue? _basic;

    /// <summary>Nobody, or who the text says.</summary>
    /// <param name="token">A token of this service; or null.</param>
    /// <param name="user">A user; or null.</param>
    /// <param name="password">The user's password.</param>
    public RegistryLogin(string? token, string? user, string? password) =>
        // A token is the base64 of a user and a password, as Basic wants it.
        _basic =
            user is not null ? new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")))
            : token is not null ? new("Basic", token)
            : null;

    /// <summary>What the next request says.</summary>
    public AuthenticationHeaderValue? Current { get; private set; }

    /// <summary>Begins.</summary>
    public void Begin() => Current ??= _basic;

    /// <summary>Follows a challenge. False where that leads nowhere new.</summary>
    /// <param name="http">Asks the realm.</param>
    /// <param name="challenges">Those of the answer 401.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<bool> FollowAsync(
        HttpClient http,
        HttpHeaderValueCollection<AuthenticationHeaderValue> challenges,
        CancellationToken cancellationToken
    )
    {
        var challenge = challenges.FirstOrDefault(c => c.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase));
        var values = Values(challenge?.Parameter ?? "");
        if (
            !values.TryGetValue("realm", out var realm)
            || !Uri.TryCreate(realm, UriKind.Absolute, out var address)
            // Credentials go nowhere in the clear, but on this machine.
            || (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
        )
        {
            return false;
        }

        var query = string.Join(
            '&',
            values.Where(v => v.Key is "service" or "scope").Select(v => $"{v.Key}={Uri.EscapeDataString(v.Value)}")
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(address) { Query = query }.Uri);
        request.Headers.Authorization = _basic;
        using var response = await http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return false;
        }

        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        var token = (string?)answer?["token"] ?? (string?)answer?["access_token"];
        Current = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return token is not null;
    }

    // name="value", with commas between them; a scope has commas of its own.
    private static Dictionary<string, string> Values(string parameter)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var at = 0; at < parameter.Length; )
        {
            var equals = parameter.IndexOf('=', at);
            if (equals < 0)
            {
                break;
            }

            var name = parameter[at..equals].Trim(' ', ',');
            var isQuoted = equals + 1 < parameter.Length && parameter[equals + 1] == '"';
            var begin = isQuoted ? equals + 2 : equals + 1;
            var end = parameter.IndexOf(isQuoted ? '"' : ',', begin);
            end = end < 0 ? parameter.Length : end;
            values[name] = parameter[begin..end];
            at = end + 1;
        }

        return values;
    }
}
