using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>
/// An issuer of tokens on this machine: its discovery document, its keys, and the tokens that it signs. Written without the library
/// that checks them.
/// </summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<JsonObject> _published = [];
    private int _asked;

    private TestIssuer(WebApplication app) => _app = app;

    /// <summary>As the claim <c>iss</c> has it.</summary>
    public string Issuer { get; private set; } = "";

    /// <summary>The key that signs, and its id.</summary>
    public (string Id, RSA Key) Signer { get; private set; }

    /// <summary>An elliptic key that is published, too.</summary>
    public ECDsa Elliptic { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>How often its keys were asked for.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Answers in place of the issuer; null: it answers itself.</summary>
    public Func<HttpContext, Task>? Instead { get; set; }

    public static async Task<TestIssuer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var issuer = new TestIssuer(builder.Build());
        issuer._app.Run(issuer.AnswerAsync);
        await issuer._app.StartAsync(TestContext.Current.CancellationToken);
        issuer.Issuer = issuer._app.Address().ToString().TrimEnd('/');
        issuer.Rotate();
        var point = issuer.Elliptic.ExportParameters(includePrivateParameters: false).Q;
        issuer._published.Add(
            new JsonObject
            {
                ["kty"] = "EC",
                ["kid"] = "elliptic",
                ["crv"] = "P-256",
                ["x"] = Base64Url.EncodeToString(point.X),
                ["y"] = Base64Url.EncodeToString(point.Y),
            }
        );
        return issuer;
    }

    /// <summary>Signs with a new key from now on, and publishes that in place of the last one.</summary>
    public void Rotate()
    {
        var key = RSA.Create(2048);
        Signer = ($"key-{Guid.NewGuid():N}", key);
        var numbers = key.ExportParameters(includePrivateParameters: false);
        lock (_published)
        {
            _published.RemoveAll(k => k["kty"]!.GetValue<string>() == "RSA");
            _published.Add(
                new JsonObject
                {
                    ["kty"] = "RSA",
                    ["use"] = "sig",
                    ["kid"] = Signer.Id,
                    ["n"] = Base64Url.EncodeToString(numbers.Modulus),
                    ["e"] = Base64Url.EncodeToString(numbers.Exponent),
                }
            );
        }
    }

    /// <summary>Claims that a rule of the tests is about.</summary>
    public JsonObject Claims(string subject = "repo:acme/web:ref:refs/heads/main") =>
        new()
        {
            ["iss"] = Issuer,
            ["aud"] = "images",
            ["sub"] = subject,
            ["iat"] = Now(0),
            ["nbf"] = Now(-5),
            ["exp"] = Now(600),
        };

    /// <summary>A good token of these claims.</summary>
    public string Token(JsonObject claims, string algorithm = "RS256") =>
        Token(
            claims,
            new JsonObject
            {
                ["alg"] = algorithm,
                ["kid"] = Signer.Id,
                ["typ"] = "JWT",
            },
            Rs(algorithm)
        );

    /// <summary>One that is signed, with any text as its claims.</summary>
    public string Token(string claims)
    {
        var header = new JsonObject { ["alg"] = "RS256", ["kid"] = Signer.Id };
        var text = $"{Part(header)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{text}.{Base64Url.EncodeToString(Rs("RS256")(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>A token with any header and signature.</summary>
    public static string Token(JsonObject claims, JsonObject header, Func<byte[], byte[]> sign)
    {
        var text = $"{Part(header)}.{Part(claims)}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>Seconds since 1970, so many from now.</summary>
    public static long Now(int seconds) => DateTimeOffset.UtcNow.AddSeconds(seconds).ToUnixTimeSeconds();

    /// <summary>Signs as an algorithm of RSA does.</summary>
    public Func<byte[], byte[]> Rs(string algorithm) =>
        bytes =>
            Signer.Key.SignData(
                bytes,
                algorithm[2..] switch
                {
                    "384" => HashAlgorithmName.SHA384,
                    "512" => HashAlgorithmName.SHA512,
                    _ => HashAlgorithmName.SHA256,
                },
                algorithm.StartsWith('P') ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1
            );

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
        Signer.Key.Dispose();
        Elliptic.Dispose();
    }

    private static string Part(JsonObject json) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/keys")
        {
            Interlocked.Increment(ref _asked);
        }

        if (Instead is { } instead)
        {
            await instead(context);
            return;
        }

        JsonObject? answer = context.Request.Path.Value switch
        {
            "/.well-known/openid-configuration" => new JsonObject
            {
                ["issuer"] = Issuer,
                ["jwks_uri"] = $"{Issuer}/keys",
            },
            "/keys" => Published(),
            _ => null,
        };
        context.Response.StatusCode = answer is null ? 404 : 200;
        await context.Response.WriteAsync(answer?.ToJsonString() ?? "", context.RequestAborted);
    }

    private JsonObject Published()
    {
        lock (_published)
        {
            return new JsonObject { ["keys"] = new JsonArray([.. _published.Select(k => k.DeepClone())]) };
        }
    }
}
