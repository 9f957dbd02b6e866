using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>The commands that mend what the doctor finds, with the names of the installation.</summary>
/// <param name="account">The storage account of images and rows.</param>
/// <param name="installation">Null where its names are not known: then the commands have the variables.</param>
internal sealed class Mends(string account, Installation? installation)
{
    private const string Me = "$(az ad signed-in-user show --query id --output tsv)";

    /// <summary>Deploys the event subscription anew.</summary>
    public static string Subscribe { get; } =
        OperatingSystem.IsWindows() ? "infra/subscribe.ps1" : "infra/subscribe.sh";

    /// <summary>Sets this machine's clock.</summary>
    public static string Clock { get; } =
        OperatingSystem.IsWindows() ? "w32tm /resync"
        : OperatingSystem.IsMacOS() ? "sudo sntp -sS time.apple.com"
        : "sudo timedatectl set-ntp true";

    private string App =>
        installation is { } i
            ? $"--resource-group {Quoted(i.Group)} --name {Quoted(i.App)}"
            : "--resource-group $AZURE_RESOURCE_GROUP --name $IMAGES_FUNCTION_APP";

    private string Account => $"--account-name {Quoted(account)} --auth-mode login";

    /// <summary>Sets one app setting.</summary>
    public string Set(string name, string value) =>
        $"az functionapp config appsettings set {App} --settings {Quoted($"{name}={value}")} --output none";

    /// <summary>Removes one app setting.</summary>
    public string Unset(string name) =>
        $"az functionapp config appsettings delete {App} --setting-names {Quoted(name)} --output none";

    /// <summary>Starts the app.</summary>
    public string Start => $"az functionapp start {App}";

    /// <summary>Starts the app anew.</summary>
    public string Restart => $"az functionapp restart {App}";

    /// <summary>Deploys what the template names.</summary>
    public static string Provision => "azd provision";

    /// <summary>Deploys the code.</summary>
    public static string Deploy => "azd deploy";

    /// <summary>Makes a container; brings one back that holds what cannot be made anew.</summary>
    public string Container(string name) =>
        name is StorageAccount.ImagesContainer or StorageAccount.CatalogContainer
            ? $"az storage container restore {Account} --name {name} --deleted-version \"$(az storage container list {Account} --include-deleted --query \"[?name=='{name}'].version | [0]\" --output tsv)\"; where there never was one: {Provision}"
            : $"az storage container create {Account} --name {name}";

    /// <summary>Makes the poison queue.</summary>
    public string MakeQueue => $"az storage queue create {Account} --name {Expected.PoisonQueue}";

    /// <summary>Makes lost tables anew.</summary>
    public static string Rebuild => $"{TypedCommand.Text} rebuild";

    /// <summary>Looks at all that waits in some namespaces now; null: in all.</summary>
    public static string Collect(IReadOnlyList<string>? namespaces = null) =>
        namespaces is { Count: > 0 and <= 3 }
            ? string.Join(" && ", namespaces.Select(n => $"{TypedCommand.Text} gc {TypedCommand.Quoted(n)}"))
            : $"{TypedCommand.Text} gc";

    /// <summary>The same for what is in the poison queue, and empties it.</summary>
    public string Drain(IReadOnlyList<string> namespaces) =>
        $"{Collect(namespaces)} && az storage message clear {Account} --queue-name {Expected.PoisonQueue}";

    /// <summary>Gives the caller a role on the account.</summary>
    public string RoleOfMine(string role) => Role(role, $"\"{Me}\"");

    /// <summary>Gives the app's identity a role on the account.</summary>
    public string RoleOf(string principal, string role) => Role(role, Quoted(principal));

    /// <summary>Lets the caller ask for what the installation is made of.</summary>
    public string RoleToAsk(string role) =>
        $"az role assignment create --role '{role}' --assignee \"{Me}\" --scope {installation?.GroupId ?? "/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP"}";

    /// <summary>What it means that storage refuses something, and how to mend it.</summary>
    /// <param name="code">Storage's own code.</param>
    /// <param name="role">The role that would allow it.</param>
    public (string Detail, string Mend) OfDenied(string? code, string role) =>
        code == "AuthorizationFailure"
            ? (
                $"refused ({code}): the network rules of the account do not let this address in",
                $"az storage account network-rule add --account-name {Quoted(account)} --ip-address <this address>, or allowedAddresses: docs/deploy.md"
            )
            : ($"refused ({code ?? "no code"}): the role {role} is missing", RoleOfMine(role));

    private string Role(string role, string assignee) =>
        $"az role assignment create --role '{role}' --assignee {assignee} --scope \"$(az storage account show --name {Quoted(account)} --query id --output tsv)\"";

    private static string Quoted(string argument) => TypedCommand.Quoted(argument);
}
