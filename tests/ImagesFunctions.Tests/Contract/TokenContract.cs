using System.Net;
using System.Text;
using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Accounts;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What a token promises, in which forms it is accepted, and what there is without one.</summary>
public sealed class TokenContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    /// <summary>Credentials that are none, made from a good token's text.</summary>
    private static readonly Dictionary<string, Func<string, string?>> NoCredentials = new(StringComparer.Ordinal)
    {
        ["no header"] = _ => null,
        ["an empty header"] = _ => "",
        ["a scheme alone"] = _ => "Bearer",
        ["a scheme and a blank"] = _ => "Bearer ",
        ["a token without its scheme"] = token => token,
        ["another scheme"] = token => $"Digest {token}",
        ["what is no base64"] = _ => "Bearer %%%",
        ["base64 of nothing"] = _ => $"Bearer {Base64("")}",
        ["no secret"] = _ => $"Bearer {Base64("robot$alice.users.kraftcloud:")}",
        ["no colon"] = _ => $"Bearer {Base64("robot$alice.users.kraftcloud")}",
        ["another secret"] = token => $"Bearer {Base64(Pair(token)[..^1] + (Pair(token)[^1] == 'x' ? "y" : "x"))}",
        ["a good secret with more behind it"] = token => $"Bearer {Base64(Pair(token) + "x")}",
        ["a good secret cut short"] = token => $"Bearer {Base64(Pair(token)[..^1])}",
        ["a good secret under another account"] = token =>
            $"Bearer {Base64($"robot$nobody.users.kraftcloud:{Pair(token).Split(':')[1]}")}",
        ["a good token twice"] = token => $"Bearer {token} {token}",
        ["a token of 20,000 characters"] = _ => $"Bearer {new string('A', 20_000)}",
    };

    /// <summary>Forms in which a good token is accepted.</summary>
    private static readonly Dictionary<string, Func<string, string>> Credentials = new(StringComparer.Ordinal)
    {
        ["as it was given out"] = token => $"Bearer {token}",
        ["unpadded"] = token => $"Bearer {token.TrimEnd('=')}",
        ["url-safe"] = token => $"Bearer {token.Replace('+', '-').Replace('/', '_')}",
        ["a plain pair inside"] = token =>
            $"Bearer {Base64(Pair(token).Replace("robot$", "", StringComparison.Ordinal).Replace(".users.kraftcloud", "", StringComparison.Ordinal))}",
        ["a scheme in small letters"] = token => $"bearer {token}",
    };

    public static TheoryData<string> NoCredentialNames => [.. NoCredentials.Keys];

    public static TheoryData<string> CredentialNames => [.. Credentials.Keys];

    [Theory]
    [MemberData(nameof(NoCredentialNames))]
    public async Task Without_a_good_token_there_is_401_on_every_route(string credential)
    {
        var header = NoCredentials[credential](await Host.TokenForAsync(Drop.Fresh("alice")));
        foreach (
            var path in new[]
            {
                ImagesList.Route,
                $"{ImagesList.Route}?namespace=official",
                "/",
                "/v1/nothing",
                "/nothing",
            }
        )
        {
            AssertError(HttpStatusCode.Unauthorized, await Host.GetAsync(path, header));
        }
    }

    [Theory]
    [MemberData(nameof(CredentialNames))]
    public async Task A_good_token_is_accepted_in_each_of_its_forms(string form)
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        AssertSuccess(await Host.GetAsync(ImagesList.Route, Credentials[form](token)));
    }

    [Fact]
    public async Task A_token_is_base64_of_the_robot_account_and_a_secret_without_colon()
    {
        var account = Drop.Fresh("alice");

        var pair = Pair(await Host.TokenForAsync(account)).Split(':');

        Assert.Equal(2, pair.Length);
        Assert.Equal($"robot${account}.users.kraftcloud", pair[0]);
        Assert.True(pair[1].Length >= 20, "A secret is long enough that nobody guesses it.");
    }

    [Fact]
    public async Task A_revoked_token_ends_at_the_next_request_and_the_accounts_others_live_on()
    {
        var account = Drop.Fresh("alice");
        var (token, text) = await Host.Tokens.CreateAsync(account, null, TestContext.Current.CancellationToken);
        var other = await Host.TokenForAsync(account);
        AssertSuccess(await Host.ListAsync(text));

        Assert.True(await Host.Tokens.RevokeAsync(account, token.Id, TestContext.Current.CancellationToken));

        AssertError(HttpStatusCode.Unauthorized, await Host.ListAsync(text));
        AssertSuccess(await Host.ListAsync(other));
    }

    [Fact]
    public async Task An_expired_token_is_401()
    {
        var account = Drop.Fresh("alice");
        var stop = TestContext.Current.CancellationToken;
        var (_, lives) = await Host.Tokens.CreateAsync(account, TimeSpan.FromHours(1), stop);
        var (token, ended) = await Host.Tokens.CreateAsync(account, TimeSpan.FromHours(1), stop);
        // As if it had been made earlier.
        var row = new TableEntity(account, token.Id) { ["expires"] = token.Expires!.Value.AddHours(-1.01) };
        await Host.Storage.Accounts.UpdateEntityAsync(row, ETag.All, TableUpdateMode.Merge, stop);

        AssertSuccess(await Host.ListAsync(lives));
        AssertError(HttpStatusCode.Unauthorized, await Host.ListAsync(ended));
    }

    [Fact]
    public async Task The_root_is_401_with_a_good_token_too()
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        AssertError(HttpStatusCode.Unauthorized, await Host.GetAsync("/", $"Bearer {token}"));
    }

    [Theory]
    [InlineData("/v1/nothing")]
    [InlineData("/nothing")]
    [InlineData("/v1/images/list/more")]
    public async Task An_unknown_route_is_404_with_a_good_token(string path)
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        AssertError(HttpStatusCode.NotFound, await Host.GetAsync(path, $"Bearer {token}"));
    }

    /// <summary>`robot$account.users.kraftcloud:secret` of a token.</summary>
    private static string Pair(string token) => Encoding.UTF8.GetString(Convert.FromBase64String(token));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
