using System.Text.RegularExpressions;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What matters of what the Bicep makes.</summary>
public sealed class Deployed
{
    private static readonly Dictionary<string, string> s_roles = new(StringComparer.Ordinal)
    {
        ["b7e6dc6d-f1e8-4753-8033-0f276bb0955b"] = "Storage Blob Data Owner",
        ["ba92f5b4-2d11-453d-a403-e96b0029c9fe"] = "Storage Blob Data Contributor",
        ["974c5e8b-45b9-4653-ba55-5f855dd0fb88"] = "Storage Queue Data Contributor",
        ["0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"] = "Storage Table Data Contributor",
        ["3913510d-42f4-4e42-8a64-420c390055eb"] = "Monitoring Metrics Publisher",
    };

    private static Snapshot Main => Snapshot.Main;

    private static Resource App => Main.One("Microsoft.Web/sites");

    [Fact]
    public void No_storage_account_has_keys_public_blobs_or_old_TLS() =>
        Assert.All(
            Main.Of("Microsoft.Storage/storageAccounts"),
            account =>
                Assert.Equal(
                    ["False", "False", "False", "True", "TLS1_2", "True"],
                    (string?[])
                        [
                            account["properties.allowSharedKeyAccess"],
                            account["properties.allowBlobPublicAccess"],
                            account["properties.allowCrossTenantReplication"],
                            account["properties.supportsHttpsTrafficOnly"],
                            account["properties.minimumTlsVersion"],
                            account["properties.defaultToOAuthAuthentication"],
                        ]
                )
        );

    [Fact]
    public void What_is_deleted_can_be_restored_for_a_week()
    {
        var services = Main.Of("Microsoft.Storage/storageAccounts/blobServices");
        Assert.Equal(2, services.Count);
        Assert.All(
            services,
            service =>
                Assert.All(
                    (string[])["deleteRetentionPolicy", "containerDeleteRetentionPolicy"],
                    policy =>
                        Assert.Equal(
                            ("True", "7"),
                            (service[$"properties.{policy}.enabled"], service[$"properties.{policy}.days"])
                        )
                )
        );
    }

    [Fact]
    public void Containers_are_the_librarys_own_and_none_is_public()
    {
        const string type = "Microsoft.Storage/storageAccounts/blobServices/containers";
        Assert.Equal(
            [
                StorageAccount.ImagesContainer,
                StorageAccount.UploadsContainer,
                StorageAccount.DerivedContainer,
                StorageAccount.CatalogContainer,
                "deadletters",
            ],
            Snapshot.NamesInImagesAccount(type)
        );
        Assert.All(Main.Of(type), container => Assert.Equal("None", container["properties.publicAccess"]));
    }

    [Fact]
    public void Tables_are_the_librarys_own() =>
        Assert.Equal(
            [StorageAccount.ImagesTable, StorageAccount.AccountsTable],
            Snapshot.NamesInImagesAccount("Microsoft.Storage/storageAccounts/tableServices/tables")
        );

    [Fact]
    public void The_only_queue_beside_the_images_is_for_poison_because_an_alert_counts_on_it() =>
        Assert.Equal(
            ["webjobs-blobtrigger-poison"],
            Snapshot.NamesInImagesAccount("Microsoft.Storage/storageAccounts/queueServices/queues")
        );

    [Fact]
    public void Nobody_has_a_role_but_these() =>
        Assert.Equal(
            [
                "deployer: Storage Blob Data Contributor on stimages",
                "deployer: Storage Queue Data Contributor on stimages",
                "deployer: Storage Table Data Contributor on stimages",
                "evgt-images: Storage Blob Data Contributor on deadletters",
                "id-images: Monitoring Metrics Publisher on appi-images",
                "id-images: Storage Blob Data Contributor on stimages",
                "id-images: Storage Blob Data Owner on sthost",
                "id-images: Storage Queue Data Contributor on sthost",
                "id-images: Storage Queue Data Contributor on stimages",
                "id-images: Storage Table Data Contributor on sthost",
                "id-images: Storage Table Data Contributor on stimages",
            ],
            Main.Of("Microsoft.Authorization/roleAssignments")
                .Select(role =>
                    $"{Who(role)}: {s_roles[Snapshot.Last(role["properties.roleDefinitionId"]!)]} on {Where(role)}"
                )
                .Order(StringComparer.Ordinal)
        );

    [Fact]
    public void A_person_is_a_user_and_what_Azure_runs_a_service_principal() =>
        Assert.All(
            Main.Of("Microsoft.Authorization/roleAssignments"),
            role =>
                Assert.Equal(Who(role) == "deployer" ? "User" : "ServicePrincipal", role["properties.principalType"])
        );

    [Fact]
    public void The_app_runs_on_Flex_Consumption_as_an_isolated_worker_of_the_projects_own_NET()
    {
        Assert.Equal("FC1", Main.One("Microsoft.Web/serverfarms")["sku.name"]);
        Assert.Equal("functionapp,linux", App["kind"]);
        Assert.Equal("dotnet-isolated", App["properties.functionAppConfig.runtime.name"]);
        var framework = Regex.Match(Repo.Read("Directory.Build.props"), "<TargetFramework>net(.+)</TargetFramework>");
        Assert.Equal(framework.Groups[1].Value, App["properties.functionAppConfig.runtime.version"]);
    }

    [Fact]
    public void The_app_takes_its_code_with_its_identity_and_from_nobody_with_a_password()
    {
        const string storage = "properties.functionAppConfig.deployment.storage.";
        Assert.Equal("UserAssignedIdentity", App[storage + "authentication.type"]);
        Assert.Equal(
            Main.One("Microsoft.ManagedIdentity/userAssignedIdentities").Id,
            App[storage + "authentication.userAssignedIdentityResourceId"]
        );
        Assert.Matches(@"/sthost\w+'.*'packages'\)\]$", App[storage + "value"]);
        var passwords = Main.Of("Microsoft.Web/sites/basicPublishingCredentialsPolicies");
        Assert.Equal(["ftp", "scm"], passwords.Select(p => Snapshot.Last(p.Name)));
        Assert.All(passwords, p => Assert.Equal("False", p["properties.allow"]));
    }

    [Fact]
    public void The_app_speaks_https_only_and_no_old_TLS() =>
        Assert.Equal(("True", "1.2"), (App["properties.httpsOnly"], App["properties.siteConfig.minTlsVersion"]));

    [Fact]
    public void Flex_Consumption_is_given_nothing_that_it_refuses()
    {
        Assert.DoesNotContain(
            Main.AppSettings.Keys,
            name => Regex.IsMatch(name, "^(FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_|WEBSITE_|SCM_|ENABLE_ORYX)")
        );
        Assert.Null(App["properties.siteConfig.linuxFxVersion"]);
        Assert.Null(App["properties.siteConfig.alwaysOn"]);
    }

    [Fact]
    public void azd_finds_the_app_by_the_name_of_its_service() =>
        Assert.Matches(
            $@"(?m)^services:\n  {App["tags.azd-service-name"]}:\n    project: functions/App$",
            Repo.Read("azure.yaml")
        );

    [Fact]
    public void Telemetry_takes_no_key()
    {
        Assert.Equal("True", Main.One("Microsoft.Insights/components")["properties.DisableLocalAuth"]);
        Assert.Equal(
            "True",
            Main.One("Microsoft.OperationalInsights/workspaces")["properties.features.disableLocalAuth"]
        );
        Assert.Contains(";Authorization=AAD", Main.AppSettings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]);
    }

    [Fact]
    public void Everything_that_can_have_tags_has_them() =>
        Assert.All(
            Main.All.Where(r => r["location"] is not null),
            r => Assert.Equal(("images", "ImagesFunctions"), (r["tags.azd-env-name"], r["tags.application"]))
        );

    [Fact]
    public void Every_parameter_and_output_is_described() =>
        Assert.All(
            Directory.EnumerateFiles(Repo.Path("infra"), "*.bicep"),
            file =>
            {
                var lines = File.ReadAllLines(file);
                Assert.All(
                    lines.Index().Where(line => Regex.IsMatch(line.Item, "^(param|output) ")),
                    line =>
                        Assert.Contains(
                            lines[..line.Index].Reverse().TakeWhile(before => before.Length > 0),
                            before => before.StartsWith("@description('", StringComparison.Ordinal)
                        )
                );
            }
        );

    private static string Who(Resource role) =>
        role["properties.principalId"] is "11111111-1111-1111-1111-111111111111"
            ? "deployer"
            : Regex.Match(role["properties.principalId"]!, @"/([a-z-]+)-\w+', '").Groups[1].Value;

    private static string Where(Resource role) =>
        Regex.Replace(
            Snapshot.Last(role.Id.Split("/providers/Microsoft.Authorization/")[0]),
            "-?" + Regex.Match(Snapshot.ImagesAccount, "stimages(.+)").Groups[1].Value,
            ""
        );
}
