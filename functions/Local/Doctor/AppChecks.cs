using System.Text.Json;

namespace ImagesFunctions.Local;

/// <summary>Checks of the function app: that it runs, what its identity may do, its functions, and what its triggers are set to.</summary>
internal sealed class AppChecks(Examined examined, Management management, Installation installation)
{
    private const string App = "function app";
    private const string Roles = "rights of the app";
    private const string Deployed = "functions";
    private const string BlobOwner = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b";

    private Mends Commands => examined.Mends;

    private string Account => examined.Storage.Images.AccountName;

    /// <summary>The app settings. Their values stay here: Azure gives them out to who may change them.</summary>
    /// <exception cref="ManagementException">They are not given out.</exception>
    public async Task<IReadOnlyDictionary<string, string>> SettingsAsync(CancellationToken cancellationToken)
    {
        var answer = await AskAsync(
            stop => management.PostAsync($"{installation.AppId}/config/appsettings/list", Expected.SitesVersion, stop),
            "Website Contributor",
            cancellationToken
        );
        return answer.At("properties") is { ValueKind: JsonValueKind.Object } properties
            ? properties
                .EnumerateObject()
                .Where(setting => setting.Value.ValueKind == JsonValueKind.String)
                .ToDictionary(
                    setting => setting.Name,
                    setting => setting.Value.GetString()!,
                    StringComparer.OrdinalIgnoreCase
                )
            : throw new ManagementException(StatusCodes.Status200OK, "Azure gave no settings");
    }

    /// <summary>Looks at the app itself.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        // Null: not known. Empty: it has none.
        string? principal = null;
        var functions = examined.AtAsync(Deployed, FunctionsAsync, cancellationToken);
        var app = await examined.AtAsync(
            App,
            async stop =>
            {
                (var check, principal) = await StateAsync(stop);
                return check;
            },
            cancellationToken
        );
        var rights = principal is { } id
            ? await examined.AtAsync(Roles, stop => RolesAsync(id, stop), cancellationToken)
            : new Check(Roles, Check.Unknown, "the app's identity is not known");
        return [app, rights, await functions];
    }

    /// <summary>Looks at what the triggers and the host are set to.</summary>
    public Task<IReadOnlyList<Check>> OfSettingsAsync(
        Task<IReadOnlyDictionary<string, string>> settings,
        CancellationToken cancellationToken
    ) =>
        Look.AtAsync(
            "app settings",
            examined.Deadline,
            async stop =>
                new SettingChecks(Commands, Account, examined.Storage.Images.Uri).Of(await settings.WaitAsync(stop)),
            cancellationToken
        );

    private async Task<(Check Check, string? Principal)> StateAsync(CancellationToken cancellationToken)
    {
        JsonElement app;
        try
        {
            app = await AskAsync(
                stop => management.GetAsync(installation.AppId, Expected.SitesVersion, stop),
                "Reader",
                cancellationToken
            );
        }
        catch (ManagementException error) when (error.Status == StatusCodes.Status404NotFound)
        {
            return (
                new Check(App, Check.Failed, $"there is none that is called {installation.App}", Mends.Provision),
                null
            );
        }

        var found = new Findings();
        if (app.Text("properties.state") is var state && state != "Running")
        {
            found.Fail($"it is {state ?? "in no state"}", Commands.Start);
        }

        if (app.At("properties.httpsOnly") is not { ValueKind: JsonValueKind.True })
        {
            found.Warn("it answers without TLS", Mends.Provision);
        }

        return (found.ToCheck(App, $"runs at {app.Text("properties.defaultHostName")}"), PrincipalOf(app));
    }

    private static string PrincipalOf(JsonElement app) =>
        app.At("identity.userAssignedIdentities") is { ValueKind: JsonValueKind.Object } identities
            ? identities.EnumerateObject().Select(i => i.Value.Text("principalId")).FirstOrDefault(id => id is not null)
                ?? ""
            : "";

    private async Task<Check> RolesAsync(string principal, CancellationToken cancellationToken)
    {
        if (principal.Length == 0)
        {
            return new Check(Roles, Check.Failed, "the app has no identity of its own", Mends.Provision);
        }

        var scope = installation.AccountId(Account);
        var filter = Uri.EscapeDataString($"principalId eq '{principal}'");
        var answer = await AskAsync(
            stop =>
                management.GetAsync(
                    $"{scope}/providers/Microsoft.Authorization/roleAssignments?$filter={filter}",
                    Expected.RolesVersion,
                    stop
                ),
            "Reader",
            cancellationToken
        );
        // What is assigned below the account does not count: it is about one container.
        var given = answer
            .Items("value")
            .Where(a =>
                a.Text("properties.scope") is { } at && scope.StartsWith(at, StringComparison.OrdinalIgnoreCase)
            )
            .Select(a => a.Text("properties.roleDefinitionId")?.Split('/')[^1])
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var found = new Findings();
        foreach (var (id, role) in Expected.Roles)
        {
            if (!given.Contains(id) && !(role == Expected.BlobRole && given.Contains(BlobOwner)))
            {
                found.Fail($"the role {role} on {Account} is missing", Commands.RoleOf(principal, role));
            }
        }

        return found.ToCheck(Roles, "blobs, tables and queues");
    }

    private async Task<Check> FunctionsAsync(CancellationToken cancellationToken)
    {
        var answer = await AskAsync(
            stop => management.GetAsync($"{installation.AppId}/functions", Expected.SitesVersion, stop),
            "Reader",
            cancellationToken
        );
        var there = answer
            .Items("value")
            .Select(f => f.Text("name")?.Split('/')[^1])
            .OfType<string>()
            .ToHashSet(StringComparer.Ordinal);
        // Flex Consumption need not list the one that it cannot run.
        var missing = Expected.Functions.Where(f => f != Expected.ScanFunction && !there.Contains(f)).ToList();
        return missing.Count == 0
            ? new Check(Deployed, Check.Ok, string.Join(", ", there.Order(StringComparer.Ordinal)))
            : new Check(Deployed, Check.Failed, $"not there: {string.Join(", ", missing)}", Mends.Deploy);
    }

    private Task<JsonElement> AskAsync(
        Func<CancellationToken, Task<JsonElement>> ask,
        string role,
        CancellationToken cancellationToken
    ) => Management.AllowedAsync(ask, Commands.RoleToAsk(role), cancellationToken);
}
