using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>A request to one repository by an authenticated caller.</summary>
/// <param name="Http">The HTTP request and its answer.</param>
/// <param name="Access">What the caller may see and do.</param>
/// <param name="Path">Its path.</param>
/// <param name="Repository">The repository that the path names.</param>
internal sealed record RegistryRequest(HttpContext Http, Access Access, RegistryPath Path, Repository Repository)
{
    public HttpRequest Request => Http.Request;

    public HttpResponse Response => Http.Response;

    public CancellationToken Stop => Http.RequestAborted;

    /// <summary>
    /// Whether the caller may read the repository. If not, everything in it is absent, and storage is not read.
    /// </summary>
    public bool MayRead => Access.MayRead(Repository);

    /// <summary>
    /// Whether it is a check before a push: HEAD by a caller who may push. What such a check finds has to be kept for a while.
    /// </summary>
    public bool IsBeforePush => HttpMethods.IsHead(Request.Method) && Access.May(Rights.Push, Repository);

    /// <summary>The digest at the path's end.</summary>
    /// <exception cref="RegistryError">It is malformed: DIGEST_INVALID.</exception>
    public Digest Digest => ParseDigest(Path.Last);

    /// <summary>The blob of the digest at the path's end.</summary>
    /// <exception cref="RegistryError">The digest is malformed: DIGEST_INVALID.</exception>
    public BlobPath BlobPath => new(Repository, Digest);

    /// <summary>The location of a blob of the repository.</summary>
    public string BlobLocation(Digest digest) => $"/v2/{Path.Name}/blobs/{digest}";

    /// <summary>The first value of a query parameter; null when it is absent.</summary>
    public string? Query(string name) => Request.Query.TryGetValue(name, out var values) ? values[0] ?? "" : null;

    /// <summary>Parses a digest that a client wrote.</summary>
    /// <exception cref="RegistryError">It is malformed: DIGEST_INVALID.</exception>
    public static Digest ParseDigest(string text) =>
        Digest.TryParse(text, out var digest)
            ? digest
            : throw RegistryError.DigestInvalid("This is not a digest, like sha256:<64 hexadecimal digits>.", text);
}
