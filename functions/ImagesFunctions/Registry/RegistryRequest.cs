using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>A request to one repository by an authenticated caller.</summary>
/// <param name="Http">The request and its answer.</param>
/// <param name="Access">What the caller may see and do.</param>
/// <param name="Path">What it names.</param>
/// <param name="Repository">The repository that the path names.</param>
internal sealed record RegistryRequest(HttpContext Http, Access Access, RegistryPath Path, Repository Repository)
{
    public HttpRequest Request => Http.Request;

    public HttpResponse Response => Http.Response;

    public CancellationToken Stop => Http.RequestAborted;

    /// <summary>
    /// Whether the caller may see the repository. If not, whatever it asks for is absent, and storage is not asked.
    /// </summary>
    public bool MayRead => Access.MayRead(Repository);

    /// <summary>
    /// Whether it asks if something is there, and the caller may push: then what it is told is there stays for long enough.
    /// </summary>
    public bool IsBeforePush => HttpMethods.IsHead(Request.Method) && Access.MayWrite(Repository);

    /// <summary>The digest at the path's end.</summary>
    /// <exception cref="RegistryError">It is malformed: DIGEST_INVALID.</exception>
    public Digest Digest => ParseDigest(Path.Last);

    /// <summary>The blob of the digest at the path's end.</summary>
    /// <exception cref="RegistryError">The digest is malformed: DIGEST_INVALID.</exception>
    public BlobPath BlobPath => new(Repository, Digest);

    /// <summary>Where a blob of the repository is pulled.</summary>
    public string BlobLocation(Digest digest) => $"/v2/{Path.Name}/blobs/{digest}";

    /// <summary>The value of a parameter, or null when it is absent; of several the first.</summary>
    public string? Query(string name) => Request.Query.TryGetValue(name, out var values) ? values[0] ?? "" : null;

    /// <summary>Reads a digest that a client has written.</summary>
    /// <exception cref="RegistryError">It is malformed: DIGEST_INVALID.</exception>
    public static Digest ParseDigest(string text) =>
        Digest.TryParse(text, out var digest)
            ? digest
            : throw RegistryError.DigestInvalid("This is not a digest, like sha256:<64 hexadecimal digits>.", text);
}
