using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Storage;

/// <summary>The identity that storage is asked with where no key is given.</summary>
internal static class StorageIdentity
{
    /// <summary>
    /// The user-assigned identity of <c>clientId</c> where <c>credential</c> is <c>managedidentity</c>, the app's own where that names
    /// none, else the developer's.
    /// </summary>
    public static TokenCredential Of(IConfigurationSection section) =>
        string.Equals(section["credential"], "managedidentity", StringComparison.OrdinalIgnoreCase)
            ? new ManagedIdentityCredential(
                section["clientId"] is { Length: > 0 } clientId
                    ? ManagedIdentityId.FromUserAssignedClientId(clientId)
                    : ManagedIdentityId.SystemAssigned
            )
            : new DefaultAzureCredential();
}
