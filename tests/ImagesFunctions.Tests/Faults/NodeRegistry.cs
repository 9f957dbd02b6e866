using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Requests to one <see cref="Node"/> without a network: what reaches storage is all that can fail.</summary>
public sealed class NodeRegistry
{
    private readonly IServiceProvider _services;
    private readonly string _authorization;

    public NodeRegistry(Node node, string account, string token)
    {
        _services = node.Services;
        _authorization = RegistryClient.Basic(account, token);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<string> TokenAsync(Node node, string account) =>
        (await node.Services.GetRequiredService<Tokens>().CreateAsync(account, null, Stop)).Text;

    public async Task<Reply> SendAsync(
        string method,
        string target,
        byte[]? body = null,
        string? contentType = null,
        bool chunked = false,
        Func<Stream, Stream>? sent = null,
        params (string Name, string Value)[] headers
    )
    {
        var context = new DefaultHttpContext { RequestServices = _services };
        using var answer = new MemoryStream();
        var question = target.Split('?', 2);
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Method = method;
        context.Request.Host = new HostString("registry");
        context.Request.Path = question[0];
        context.Request.QueryString = new QueryString(question.Length > 1 ? "?" + question[1] : "");
        context.Request.Headers.Authorization = _authorization;
        var bytes = new MemoryStream(body ?? []);
        context.Request.Body = sent is null ? bytes : sent(bytes);
        context.Request.ContentLength = chunked ? null : body?.Length ?? 0;
        context.Request.ContentType = contentType;
        context.Response.Body = answer;
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        await _services.GetRequiredService<ImagesApp>().HandleAsync(context);
        return new Reply(
            (HttpStatusCode)context.Response.StatusCode,
            context.Response.Headers.ToDictionary(
                h => h.Key,
                h => h.Value.ToString(),
                StringComparer.OrdinalIgnoreCase
            ),
            answer.ToArray()
        );
    }

    /// <summary>Pushes a layout as a client does: in sessions, one way a blob, the manifests last. The last answer, or the first that is no success.</summary>
    public async Task<Reply> PushAsync(string repository, Layout layout, string tag)
    {
        var image = layout.FirstImage;
        var way = 0;
        foreach (var (path, bytes) in layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            var digest = path["blobs/".Length..].Replace('/', ':');
            if (
                digest != image
                && await PushBlobAsync(repository, digest, bytes, way++)
                    is { Status: not HttpStatusCode.Created } failed
            )
            {
                return failed;
            }
        }

        return await SendAsync(
            "PUT",
            $"/v2/{repository}/manifests/{tag}",
            layout.Files[Layout.PathOf(image)],
            Layout.OciManifest
        );
    }

    private async Task<Reply> PushBlobAsync(string repository, string digest, byte[] bytes, int way)
    {
        if (way % 3 == 0)
        {
            return await SendAsync("POST", $"/v2/{repository}/blobs/uploads/?digest={digest}", bytes);
        }

        var post = await SendAsync("POST", $"/v2/{repository}/blobs/uploads/");
        if (post.Status != HttpStatusCode.Accepted)
        {
            return post;
        }

        var location = post["Location"];
        if (way % 3 == 1)
        {
            return await SendAsync("PUT", $"{location}?digest={digest}", bytes, chunked: true);
        }

        var half = bytes.Length / 2;
        var patch = await SendAsync("PATCH", location!, bytes[..half], chunked: true);
        return patch.Status == HttpStatusCode.Accepted
            ? await SendAsync("PUT", $"{location}?digest={digest}", bytes[half..])
            : patch;
    }
}
