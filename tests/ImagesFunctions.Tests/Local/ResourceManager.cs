using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Infra;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Local;

/// <summary>
/// Answers as Azure Resource Manager documents it, for an installation that is as the Bicep compiles to, and that a test may break. A
/// server of its own over TLS, because a token goes to no other.
/// </summary>
internal sealed class ResourceManager : IAsyncDisposable
{
    /// <summary>The object id of the app's identity.</summary>
    public const string Principal = "22222222-2222-2222-2222-222222222222";

    private readonly X509Certificate2 _certificate = SelfSigned.Certificate();
    private readonly Dictionary<string, JsonNode> _answers = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private ResourceManager(SecureAzurite azurite)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
            kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = _certificate)
        );
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().UseUrls("https://127.0.0.1:0");
        _app = builder.Build();
        Answer = AnswerAsync;
        _app.Run(context => Answer!(context));
        Settings = SettingsOf(azurite);
        Subscription = SubscriptionOf();
        Fill(azurite);
    }

    /// <summary>The installation, as the snapshots name it.</summary>
    public static Installation Names { get; } =
        new(
            "00000000-0000-0000-0000-000000000000",
            "rg-images",
            Snapshot.Main.One("Microsoft.Web/sites").Name,
            Snapshot.Main.One("Microsoft.EventGrid/systemTopics").Name
        );

    public Uri Address => _app.Address();

    /// <summary>Answers every request; a test may put another one in its place.</summary>
    public RequestDelegate Answer { get; set; }

    /// <summary>What was asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>The app settings.</summary>
    public JsonObject Settings { get; }

    /// <summary>The properties of the event subscription.</summary>
    public JsonObject Subscription { get; }

    /// <summary>The role assignments of the app's identity.</summary>
    public JsonArray Roles { get; } = [];

    public static async Task<ResourceManager> StartAsync(SecureAzurite azurite)
    {
        var server = new ResourceManager(azurite);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>A client of it.</summary>
    public Management Client() => new(new SecureAzurite.Identity(), Address, SelfSigned.Trusting(_certificate));

    /// <summary>From now on there is no such resource.</summary>
    public void Remove(string path) => Assert.True(_answers.Remove(path), path);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    /// <summary>What Azure answers where something is refused.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        var error = new JsonObject
        {
            ["error"] = new JsonObject { ["code"] = code, ["message"] = "No." },
        };
        return WriteAsync(context, error);
    }

    private Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        Asked.Enqueue($"{request.Method} {request.Path}{request.QueryString}");
        if (!request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.Ordinal))
        {
            return RefuseAsync(context, StatusCodes.Status401Unauthorized, "AuthenticationFailed");
        }

        // What only POST gives out is not there for GET.
        var isPost = request.Path.Value!.EndsWith("/list", StringComparison.Ordinal);
        return request.Query["api-version"].Count != 1
                ? RefuseAsync(context, StatusCodes.Status400BadRequest, "MissingApiVersionParameter")
            : isPost == HttpMethods.IsPost(request.Method) && _answers.TryGetValue(request.Path.Value, out var answer)
                ? WriteAsync(context, answer)
            : RefuseAsync(context, StatusCodes.Status404NotFound, "ResourceNotFound");
    }

    private static Task WriteAsync(HttpContext context, JsonNode json)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(json.ToJsonString(), context.RequestAborted);
    }

    private void Fill(SecureAzurite azurite)
    {
        var account = Names.AccountId(azurite.Storage.Images.AccountName);
        _answers[Names.AppId] = TheApp();
        _answers[$"{Names.AppId}/config/appsettings/list"] = new JsonObject { ["properties"] = Settings };
        _answers[$"{Names.AppId}/functions"] = new JsonObject
        {
            ["value"] = new JsonArray([
                .. Worker.BuiltFunctions.All.Select(f => new JsonObject { ["name"] = $"{Names.App}/{f.Name}" }),
            ]),
        };
        foreach (var role in Snapshot.Main.Of("Microsoft.Authorization/roleAssignments").Where(IsOfApp))
        {
            Roles.Add(
                new JsonObject
                {
                    ["properties"] = new JsonObject
                    {
                        ["roleDefinitionId"] = role["properties.roleDefinitionId"],
                        ["principalId"] = Principal,
                        ["scope"] = account,
                    },
                }
            );
        }

        _answers[$"{account}/providers/Microsoft.Authorization/roleAssignments"] = new JsonObject { ["value"] = Roles };
        _answers[Names.TopicId] = new JsonObject { ["properties"] = new JsonObject { ["source"] = account } };
        _answers[$"{Names.TopicId}/eventSubscriptions/images-landed"] = new JsonObject
        {
            ["properties"] = Subscription,
        };
    }

    private static JsonObject TheApp() =>
        new()
        {
            ["name"] = Names.App,
            ["identity"] = new JsonObject
            {
                ["type"] = "UserAssigned",
                ["userAssignedIdentities"] = new JsonObject
                {
                    ["/subscriptions/…/id-images"] = new JsonObject
                    {
                        ["principalId"] = Principal,
                        ["clientId"] = "33333333",
                    },
                },
            },
            ["properties"] = new JsonObject
            {
                ["state"] = "Running",
                ["defaultHostName"] = $"{Names.App}.azurewebsites.net",
                ["httpsOnly"] = true,
            },
        };

    // Of its roles those on the account of images.
    private static bool IsOfApp(Resource role) =>
        role["properties.principalId"]!.Contains("userAssignedIdentities", StringComparison.Ordinal)
        && role.Id.Split("/providers/Microsoft.Authorization/")[0]
            .EndsWith(Snapshot.ImagesAccount, StringComparison.Ordinal);

    private static JsonObject SettingsOf(SecureAzurite azurite)
    {
        var settings = new JsonObject();
        foreach (var (name, value) in Snapshot.Main.AppSettings)
        {
            settings[name] = name switch
            {
                "ImagesStorage__blobServiceUri" => azurite.BlobService.ToString(),
                "ImagesStorage__queueServiceUri" => azurite.QueueService.ToString(),
                "ImagesStorage__tableServiceUri" => azurite.TableService.ToString(),
                // What only Azure knows.
                _ => value.StartsWith('[') ? "known" : value,
            };
        }

        return settings;
    }

    // As it is given out: with a state, and of its address what is no secret.
    private static JsonObject SubscriptionOf()
    {
        var made = Snapshot.Subscription.One("Microsoft.EventGrid/systemTopics/eventSubscriptions");
        var properties = JsonNode.Parse(made.Json.GetProperty("properties").GetRawText())!.AsObject();
        var destination = properties["destination"]!["properties"]!.AsObject();
        var path = Regex.Match((string)destination["endpointUrl"]!, @"https://\{0\}(/[^?]+)\?").Groups[1].Value;
        destination.Remove("endpointUrl");
        destination["endpointBaseUrl"] = $"https://{Names.App}.azurewebsites.net{path}";
        properties["provisioningState"] = "Succeeded";
        properties["topic"] = Names.TopicId;
        return properties;
    }
}
