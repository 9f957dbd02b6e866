using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ImagesFunctions.Registry;

/// <summary>The resources of <c>/v2</c>.</summary>
internal enum Resource
{
    /// <summary><c>/v2/</c></summary>
    Base,

    /// <summary><c>/v2/_catalog</c></summary>
    Catalog,

    /// <summary><c>/v2/&lt;name&gt;/blobs/&lt;digest&gt;</c></summary>
    Blob,

    /// <summary><c>/v2/&lt;name&gt;/blobs/uploads/</c></summary>
    Uploads,

    /// <summary><c>/v2/&lt;name&gt;/blobs/uploads/&lt;id&gt;</c></summary>
    Upload,

    /// <summary><c>/v2/&lt;name&gt;/manifests/&lt;reference&gt;</c></summary>
    Manifest,

    /// <summary><c>/v2/&lt;name&gt;/tags/list</c></summary>
    Tags,

    /// <summary><c>/v2/&lt;name&gt;/referrers/&lt;digest&gt;</c></summary>
    Referrers,
}

/// <summary>
/// A parsed path below <c>/v2</c>. It is parsed from its end, because <c>blobs</c>, <c>manifests</c>, <c>tags</c> and
/// <c>uploads</c> are legal parts of a repository's name.
/// </summary>
/// <param name="Resource">The resource.</param>
/// <param name="Name">The repository's name as the client wrote it; "" where there is none.</param>
/// <param name="Last">The digest, tag or upload id at its end; "" where there is none.</param>
internal sealed record RegistryPath(Resource Resource, string Name, string Last)
{
    private const string Root = "/v2";

    /// <summary>The route template, for telemetry.</summary>
    public string Route =>
        Resource switch
        {
            Resource.Base => "/v2/",
            Resource.Catalog => "/v2/_catalog",
            Resource.Blob => "/v2/{name}/blobs/{digest}",
            Resource.Uploads => "/v2/{name}/blobs/uploads/",
            Resource.Upload => "/v2/{name}/blobs/uploads/{id}",
            Resource.Manifest => "/v2/{name}/manifests/{reference}",
            Resource.Tags => "/v2/{name}/tags/list",
            _ => "/v2/{name}/referrers/{digest}",
        };

    /// <summary>The path of a request. Null when it names no resource.</summary>
    public static RegistryPath? Of(HttpContext context)
    {
        // The framework's path leaves both %2F and %252F undecoded; only the raw target tells them apart.
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        return Parse(target is ['/', ..] ? target : context.Request.Path.ToString());
    }

    /// <summary>Parses the target of a request. Null when it names no resource.</summary>
    /// <param name="target">The raw target of the request line, with its query; it is decoded here, once.</param>
    public static RegistryPath? Parse(string target)
    {
        var query = target.IndexOfAny(['?', '#']);
        var path = Uri.UnescapeDataString(query < 0 ? target : target[..query]);
        if (path is Root or $"{Root}/")
        {
            return new RegistryPath(Resource.Base, "", "");
        }

        if (!path.StartsWith($"{Root}/", StringComparison.Ordinal))
        {
            return null;
        }

        return path[(Root.Length + 1)..].Split('/') switch
        {
            ["_catalog"] => new RegistryPath(Resource.Catalog, "", ""),
            [.. var name, "blobs", "uploads", ""] when name.Length > 0 => Of(Resource.Uploads, name, ""),
            [.. var name, "blobs", "uploads"] when name.Length > 0 => Of(Resource.Uploads, name, ""),
            [.. var name, "blobs", "uploads", var id] when name.Length > 0 => Of(Resource.Upload, name, id),
            [.. var name, "blobs", var digest] when name.Length > 0 => Of(Resource.Blob, name, digest),
            [.. var name, "manifests", var reference] when name.Length > 0 => Of(Resource.Manifest, name, reference),
            [.. var name, "referrers", var digest] when name.Length > 0 => Of(Resource.Referrers, name, digest),
            [.. var name, "tags", "list"] when name.Length > 0 => Of(Resource.Tags, name, ""),
            _ => null,
        };
    }

    private static RegistryPath Of(Resource resource, string[] name, string last) =>
        new(resource, string.Join('/', name), last);
}
