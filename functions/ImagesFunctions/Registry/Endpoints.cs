using System.Collections.Frozen;
using ImagesFunctions.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Registry;

/// <summary>An end point of <c>/v2</c>.</summary>
/// <param name="Resource">The resource that the path names.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="IsTransfer">Whether it transfers the bytes of a blob, and so has no deadline.</param>
/// <param name="Handler">Answers the request.</param>
internal sealed record RegistryEndpoint(
    Resource Resource,
    string Method,
    bool IsTransfer,
    Func<IServiceProvider, RegistryRequest, Task> Handler
)
{
    /// <summary>The right that it needs. Who may push may end its own upload.</summary>
    public Rights Right =>
        Access.IsSafe(Method) ? Rights.Pull
        : HttpMethods.IsDelete(Method) && Resource != Resource.Upload ? Rights.Delete
        : Rights.Push;
}

/// <summary>The end points of repositories (OCI distribution spec 1.1.1, "Endpoints").</summary>
internal static class Endpoints
{
    private static readonly RegistryEndpoint[] s_all =
    [
        // end-2, end-10
        Of<Blobs>(Resource.Blob, HttpMethods.Get, (blobs, request) => blobs.GetAsync(request)),
        Of<Blobs>(Resource.Blob, HttpMethods.Head, (blobs, request) => blobs.GetAsync(request)),
        Of<Blobs>(Resource.Blob, HttpMethods.Delete, (blobs, request) => blobs.DeleteAsync(request)),
        // end-3, end-7, end-9
        Of<Manifests>(Resource.Manifest, HttpMethods.Get, (manifests, request) => manifests.GetAsync(request)),
        Of<Manifests>(Resource.Manifest, HttpMethods.Head, (manifests, request) => manifests.GetAsync(request)),
        Of<Manifests>(Resource.Manifest, HttpMethods.Put, (manifests, request) => manifests.PutAsync(request)),
        Of<Manifests>(Resource.Manifest, HttpMethods.Delete, (manifests, request) => manifests.DeleteAsync(request)),
        // end-4a, end-4b, end-11
        Transfer<Uploads>(Resource.Uploads, HttpMethods.Post, (uploads, request) => uploads.PostAsync(request)),
        // end-5, end-6, end-13, end-14
        Transfer<Uploads>(Resource.Upload, HttpMethods.Get, (uploads, request) => uploads.GetAsync(request)),
        Transfer<Uploads>(Resource.Upload, HttpMethods.Patch, (uploads, request) => uploads.PatchAsync(request)),
        Transfer<UploadEnd>(Resource.Upload, HttpMethods.Put, (end, request) => end.PutAsync(request)),
        Transfer<Uploads>(Resource.Upload, HttpMethods.Delete, (uploads, request) => uploads.DeleteAsync(request)),
        // end-8a, end-8b
        Of<Tags>(Resource.Tags, HttpMethods.Get, (tags, request) => tags.ListAsync(request)),
        Of<Tags>(Resource.Tags, HttpMethods.Head, (tags, request) => tags.ListAsync(request)),
        // end-12a, end-12b
        Of<Referrers>(Resource.Referrers, HttpMethods.Get, (referrers, request) => referrers.ListAsync(request)),
        Of<Referrers>(Resource.Referrers, HttpMethods.Head, (referrers, request) => referrers.ListAsync(request)),
    ];

    private static readonly FrozenDictionary<Resource, RegistryEndpoint[]> s_byResource = s_all
        .GroupBy(e => e.Resource)
        .ToFrozenDictionary(group => group.Key, group => group.ToArray());

    /// <summary>The end points of a resource, one for each method.</summary>
    public static IReadOnlyList<RegistryEndpoint> Of(Resource resource) => s_byResource[resource];

    private static RegistryEndpoint Of<T>(Resource resource, string method, Func<T, RegistryRequest, Task> handle)
        where T : notnull =>
        new(
            resource,
            method,
            IsTransfer: false,
            (services, request) => handle(services.GetRequiredService<T>(), request)
        );

    private static RegistryEndpoint Transfer<T>(Resource resource, string method, Func<T, RegistryRequest, Task> handle)
        where T : notnull => Of(resource, method, handle) with { IsTransfer = true };
}
