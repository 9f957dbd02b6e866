namespace ImagesFunctions.Local;

/// <summary>An installation in Azure, by the names that its deployment puts out.</summary>
/// <param name="Subscription">The id of the Azure subscription.</param>
/// <param name="Group">The resource group.</param>
/// <param name="App">The function app.</param>
/// <param name="Topic">The Event Grid system topic.</param>
internal sealed record Installation(string Subscription, string Group, string App, string Topic)
{
    /// <summary>The variables of the environment that name it: outputs of <c>infra/main.bicep</c>, and what azd itself sets.</summary>
    public static readonly string[] Variables =
    [
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_RESOURCE_GROUP",
        "IMAGES_FUNCTION_APP",
        "IMAGES_EVENT_TOPIC",
    ];

    /// <summary>The resource group in Azure Resource Manager.</summary>
    public string GroupId =>
        $"/subscriptions/{Uri.EscapeDataString(Subscription)}/resourceGroups/{Uri.EscapeDataString(Group)}";

    /// <summary>The function app in Azure Resource Manager.</summary>
    public string AppId => $"{GroupId}/providers/Microsoft.Web/sites/{Uri.EscapeDataString(App)}";

    /// <summary>The topic in Azure Resource Manager.</summary>
    public string TopicId => $"{GroupId}/providers/Microsoft.EventGrid/systemTopics/{Uri.EscapeDataString(Topic)}";

    /// <summary>The storage account in Azure Resource Manager: it is in the same resource group.</summary>
    public string AccountId(string account) => $"{GroupId}/providers/Microsoft.Storage/storageAccounts/{account}";

    /// <summary>Reads the variables.</summary>
    /// <returns>Null where one of them is missing.</returns>
    public static Installation? From(Func<string, string?> variable) =>
        Variables.Select(variable).ToArray()
            is [{ Length: > 0 } subscription, { Length: > 0 } group, { Length: > 0 } app, { Length: > 0 } topic]
            ? new Installation(subscription, group, app, topic)
            : null;
}
