using System.Text.Json;
using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What reviewers ask for: off by default, and all of it on in a snapshot of its own.</summary>
public sealed class DeployedForReviewers
{
    private static readonly string[] s_services = ["blob", "queue", "table"];

    private static Snapshot Reviewed => Snapshot.Reviewed;

    private static IReadOnlyList<Resource> Accounts => Reviewed.Of("Microsoft.Storage/storageAccounts");

    [Fact]
    public void None_of_it_is_made_unasked()
    {
        var main = Snapshot.Main;
        Assert.DoesNotContain(
            main.All,
            resource =>
                resource.Type.StartsWith("Microsoft.Network/", StringComparison.Ordinal)
                || resource.Type
                    is "Microsoft.Authorization/locks"
                        or "Microsoft.Insights/webtests"
                        or "Microsoft.Insights/workbooks"
        );
        Assert.All(
            main.Of("Microsoft.Storage/storageAccounts"),
            account =>
                Assert.Equal(
                    ("Allow", null, null),
                    (
                        account["properties.networkAcls.defaultAction"],
                        account["properties.encryption"],
                        account["identity"]
                    )
                )
        );
        Assert.Null(main.One("Microsoft.Web/serverfarms")["properties.zoneRedundant"]);
        var app = main.One("Microsoft.Web/sites");
        Assert.Null(app["properties.virtualNetworkSubnetId"]);
        Assert.Null(app["properties.functionAppConfig.siteUpdateStrategy"]);
        Assert.DoesNotContain("PublicHost", main.AppSettings.Keys);
    }

    [Fact]
    public void Both_accounts_answer_only_their_endpoints_and_trusted_services()
    {
        Assert.Equal(2, Accounts.Count);
        Assert.All(
            Accounts,
            account =>
                Assert.Equal(
                    ("Deny", "AzureServices"),
                    (account["properties.networkAcls.defaultAction"], account["properties.networkAcls.bypass"])
                )
        );
        // Who drops images may come from there; nobody but the app needs the host's account.
        Assert.Equal("192.0.2.7", Accounts[0]["properties.networkAcls.ipRules.0.value"]);
        Assert.Null(Accounts[1]["properties.networkAcls.ipRules"]);

        var endpoints = Reviewed.Of("Microsoft.Network/privateEndpoints");
        Assert.Equal(
            Accounts.SelectMany(account => s_services.Select(service => (account.Id, service))),
            endpoints.Select(endpoint =>
                (
                    endpoint["properties.privateLinkServiceConnections.0.properties.privateLinkServiceId"]!,
                    endpoint["properties.privateLinkServiceConnections.0.properties.groupIds.0"]!
                )
            )
        );
        Assert.Equal(3, Reviewed.Of("Microsoft.Network/privateDnsZones").Count);
        Assert.Equal(3, Reviewed.Of("Microsoft.Network/privateDnsZones/virtualNetworkLinks").Count);
        Assert.Equal(6, Reviewed.Of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups").Count);
    }

    [Fact]
    public void The_app_is_in_the_network_and_sends_what_is_pulled_itself()
    {
        var network = Reviewed.One("Microsoft.Network/virtualNetworks");
        Assert.Equal(
            $"{network.Id}/subnets/app",
            Reviewed.One("Microsoft.Web/sites")["properties.virtualNetworkSubnetId"]
        );
        Assert.Equal("app", network["properties.subnets.0.name"]);
        Assert.Equal(
            "Microsoft.App/environments",
            network["properties.subnets.0.properties.delegations.0.properties.serviceName"]
        );
        Assert.Equal("false", Reviewed.AppSettings["RedirectPulls"]);
        Assert.Equal("true", Snapshot.Main.AppSettings["RedirectPulls"]);
    }

    [Fact]
    public void Zones_take_storage_and_two_instances_that_are_always_ready()
    {
        Assert.Equal("True", Reviewed.One("Microsoft.Web/serverfarms")["properties.zoneRedundant"]);
        Assert.All(Accounts, account => Assert.Equal("Standard_ZRS", account["sku.name"]));
        Assert.Equal(
            "2",
            Reviewed.One("Microsoft.Web/sites")[
                "properties.functionAppConfig.scaleAndConcurrency.alwaysReady.0.instanceCount"
            ]
        );
    }

    [Fact]
    public void Rows_and_queues_are_encrypted_by_the_key_too() =>
        Assert.All(
            Accounts,
            account =>
            {
                Assert.Equal("images", account["properties.encryption.keyvaultproperties.keyname"]);
                // The newest version of the key, whichever that is.
                Assert.Null(account["properties.encryption.keyvaultproperties.keyversion"]);
                Assert.All(
                    (string[])[.. s_services, "file"],
                    service => Assert.Equal("Account", account[$"properties.encryption.services.{service}.keyType"])
                );
            }
        );

    [Fact]
    public void The_lock_is_on_the_account_of_images_and_rows()
    {
        var keep = Reviewed.One("Microsoft.Authorization/locks");
        Assert.Equal("CanNotDelete", keep["properties.level"]);
        Assert.StartsWith(Accounts[0].Id + "/", keep.Id, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_of_its_own_is_what_the_app_says_and_the_test_asks()
    {
        Assert.Equal("images.example.com", Reviewed.AppSettings["PublicHost"]);
        var test = Reviewed.One("Microsoft.Insights/webtests");
        Assert.Equal("https://images.example.com/healthz", test["properties.Request.RequestUrl"]);
        var alert = Assert.Single(
            Reviewed.Of("Microsoft.Insights/metricAlerts"),
            alert => alert["properties.criteria.webTestId"] == test.Id
        );
        Assert.Contains($"`{alert.Name}`", Repo.Read("docs/operate.md"));
    }

    [Fact]
    public void The_workbook_asks_the_workspace_and_the_account()
    {
        var data = Reviewed.One("Microsoft.Insights/workbooks")["properties.serializedData"]!;
        Assert.Contains(Reviewed.One("Microsoft.OperationalInsights/workspaces").Id, data);
        Assert.Contains(Accounts[0].Id, data);
        Assert.DoesNotContain("{workspace}", data);
        Assert.DoesNotContain("{account}", data);
    }

    [Fact]
    public void The_document_has_each_parameter_and_the_variable_that_azd_reads_it_from()
    {
        var document = Repo.Read("docs/deploy.md");
        var parameters = Regex.Matches(
            Repo.Read("infra/main.bicepparam"),
            @"param (\w+) = .*readEnvironmentVariable\('(IMAGES_\w+)'"
        );
        Assert.InRange(parameters.Count, 10, 30);
        Assert.All(
            parameters,
            parameter =>
            {
                Assert.Contains(parameter.Groups[2].Value, document);
                if (parameter.Groups[1].Value is not ("alertEmail" or "storageSku"))
                {
                    Assert.Contains($"`{parameter.Groups[1].Value}`", document);
                }
            }
        );
    }
}

/// <summary>The page of <c>infra/workbook.json</c>.</summary>
internal static class Workbook
{
    /// <summary>What it asks the workspace.</summary>
    public static IEnumerable<string> Queries
    {
        get
        {
            using var page = JsonDocument.Parse(Repo.Read("infra/workbook.json"));
            return
            [
                .. page
                    .RootElement.GetProperty("items")
                    .EnumerateArray()
                    .Select(item => item.GetProperty("content"))
                    .Where(content => content.TryGetProperty("query", out _))
                    .Select(content => content.GetProperty("query").GetString()!),
            ];
        }
    }
}
