using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Images;

/// <summary>The routes of the Images API below <c>/v1</c>: lists in the shape of the first generation and of the later ones.</summary>
internal static class ImagesApi
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] ReadAndDelete = [.. Read, HttpMethods.Delete];

    // How an image is written, what of the request that depends on, and whether it is a later generation's.
    private sealed record Shape(bool IsPlatform, JsonEncodedText Host)
    {
        public static readonly Shape V1 = new(false, default);

        public ValueTask WriteAsync(ResponseBuffer body, ListedImage image, CancellationToken cancellationToken) =>
            IsPlatform
                ? image.WritePlatformAsync(body, Host, cancellationToken)
                : image.WriteV1Async(body, cancellationToken);
    }

    public static void MapImagesApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapAuthorized(
            "/v1/images/list",
            (context, account) => ListAsync(context, account, Shape.V1),
            Read,
            foresee: ReadAhead
        );
        foreach (var route in (string[])["/v1/images", "/v1/image-store"])
        {
            endpoints.MapAuthorized(
                route,
                (context, account) => ListAsync(context, account, Platform(context)),
                Read,
                foresee: ReadAhead
            );
        }

        endpoints.MapAuthorized("/v1/images/digest/{*reference}", ByDigestAsync, ReadAndDelete);
        endpoints.MapAuthorized("/v1/images/tag/{*reference}", ByTagAsync, ReadAndDelete);
        endpoints.MapAuthorized("/v1/images/problems", ProblemsAsync, Read);
    }

    // The token's row and the numbers that a list is compared with are read at the same time.
    private static void ReadAhead(HttpContext context, string account) => context.Features.Set(Ahead(context, account));

    private static SequenceReads Ahead(HttpContext context, string account) =>
        Lists(context).Ahead(account, ownOnly: context.Request.QueryString.HasValue, context.RequestAborted);

    private static async Task ListAsync(HttpContext context, string account, Shape shape)
    {
        var request = await ListRequest.ReadAsync(context.Request, shape.IsPlatform, context.RequestAborted);
        if (request.Batch is { } batch)
        {
            await BatchAsync(context, account, request.Filter, batch, shape);
            return;
        }

        var sequences = context.Features.Get<SequenceReads>() ?? Ahead(context, account);
        var page = await Lists(context).ListAsync(account, request, sequences, context.RequestAborted);
        var next = page.Next is null ? null : NextPage(context.Request, page.Next);
        if (next is not null)
        {
            context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        }

        context.Response.Headers["X-Total-Count"] = page.Total.ToString(CultureInfo.InvariantCulture);
        if (!IsKnown(context, shape, $"{page.Total} {next}", page.Hash))
        {
            await WriteAsync(context, page.Images, shape);
        }
    }

    private static async Task BatchAsync(
        HttpContext context,
        string account,
        ListFilter all,
        IReadOnlyList<BatchItem> batch,
        Shape shape
    )
    {
        var wellFormed = batch.Where(i => i.MalformedMember is null).ToList();
        var found = new Queue<ListedImage?>(
            await Lists(context).FindAsync(account, wellFormed.ConvertAll(i => i.Filter(all)), context.RequestAborted)
        );
        List<(BatchItem Item, ListedImage? Image)> results =
        [
            .. batch.Select(item => (item, item.MalformedMember is null ? found.Dequeue() : null)),
        ];
        var failed = results.Count(r => r.Image is null);
        var hash = new XxHash128();
        foreach (var (_, image) in results)
        {
            var one = image?.Hash ?? 0;
            hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in one)));
        }

        // What failed is said in the words of the request, and an answer to a GET body is nobody else's.
        if (IsKnown(context, shape, string.Join('\n', batch), hash.GetCurrentHashAsUInt128()))
        {
            return;
        }

        await Envelope.WriteDataAsync(
            context,
            failed == 0 ? "success"
                : failed == results.Count ? "error"
                : "partial_success",
            failed == 0 ? null : $"{failed} of {results.Count} items failed.",
            "images",
            results,
            async (body, result) =>
            {
                if (result.Image is null)
                {
                    WriteFailure(body, result.Item);
                    return;
                }

                await shape.WriteAsync(body, await WholeAsync(context, result.Image), context.RequestAborted);
            }
        );
    }

    private static void WriteFailure(ResponseBuffer body, BatchItem item) =>
        Envelope.WriteObject(
            body,
            json =>
            {
                var malformed = item.MalformedMember;
                json.WriteString("status", "error");
                json.WriteString(
                    "message",
                    malformed is null
                        ? $"No image with name '{item.Name}'"
                        : $"The item's member '{malformed}' {BatchItem.Malformed(malformed)}"
                );
                json.WriteNumber("error", malformed is null ? ErrorNumber.NotFound : ErrorNumber.Invalid);
                if (item.DigestText is not null)
                {
                    json.WriteString("digest", item.DigestText);
                }

                if (item.TagText is not null)
                {
                    json.WriteString("tag", item.TagText);
                }
            }
        );

    private static async Task ByDigestAsync(HttpContext context, string account)
    {
        ListRequest.CheckQuery(context.Request, ofLaterGeneration: true);
        var name = NameOf(context);
        var lists = Lists(context);
        IReadOnlyList<ListedImage> found;
        Reference? reference = null;
        if (Digest.TryParse(name, out var digest))
        {
            found = await lists.FindAsync(account, digest, context.RequestAborted);
        }
        else if ((reference = BatchItem.Parse("digest", name)) is not null)
        {
            var image = await lists.FindAsync(account, [new ListFilter { Digest = reference }], context.RequestAborted);
            found = [.. image.OfType<ListedImage>()];
        }
        else
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The digest '{name}' is malformed: use sha256:<hex>, <user>/<app>@sha256:<hex> or <app>@sha256:<hex>.",
                ErrorNumber.Invalid
            );
        }

        if (!HttpMethods.IsDelete(context.Request.Method))
        {
            await ShowAsync(context, name, found.Count > 0 ? found[0] : null);
            return;
        }

        if (reference is null)
        {
            reference = Only(account, name, found);
        }

        await DeleteImageAsync(context, account, name, reference);
    }

    private static async Task ByTagAsync(HttpContext context, string account)
    {
        ListRequest.CheckQuery(context.Request, ofLaterGeneration: true);
        var name = NameOf(context);
        var tag =
            BatchItem.Parse("tag", name)
            ?? throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The tag '{name}' {BatchItem.Malformed("tag")}",
                ErrorNumber.Invalid
            );
        if (!HttpMethods.IsDelete(context.Request.Method))
        {
            var found = await Lists(context).FindAsync(account, [new ListFilter { Tag = tag }], context.RequestAborted);
            await ShowAsync(context, name, found[0] ?? throw await NotListed.OfAsync(context, account, name, tag));
            return;
        }

        await CheckMayDeleteAsync(context, account, name, tag);
        var removal = context.RequestServices.GetRequiredService<Removal>();
        if (!await removal.TagAsync(tag.Repository, tag.Tag!, context.RequestAborted))
        {
            throw NoImage(name);
        }

        await WriteDeletedAsync(context, "tag", $"{tag.Repository.DisplayName}:{tag.Tag}");
    }

    private static async Task DeleteImageAsync(HttpContext context, string account, string name, Reference image)
    {
        await CheckMayDeleteAsync(context, account, name, image);
        var removal = context.RequestServices.GetRequiredService<Removal>();
        var result = await removal.ImageAsync(image.Repository, image.Digest!, context.RequestAborted);
        if (!result.Found)
        {
            throw NoImage(name);
        }

        if (result.NeededBy is { } by)
        {
            throw new ApiException(
                StatusCodes.Status409Conflict,
                $"'{name}' is needed by {image.Repository.DisplayName}@{by}: delete that first."
            );
        }

        await WriteDeletedAsync(context, "digest", $"{image.Repository.DisplayName}@{image.Digest}");
    }

    // Official images are everybody's to see; another account's are not there.
    private static async Task CheckMayDeleteAsync(HttpContext context, string account, string name, Reference image)
    {
        if (image.Repository.Namespace == account)
        {
            return;
        }

        var filter = image.Digest is null ? new ListFilter { Tag = image } : new ListFilter { Digest = image };
        var seen = await Lists(context).FindAsync(account, [filter], context.RequestAborted);
        throw seen[0] is null
            ? NoImage(name)
            : new ApiException(
                StatusCodes.Status403Forbidden,
                $"'{name}' is an official image: only the account official may delete it.",
                ErrorNumber.NotAllowed
            );
    }

    private static Reference Only(string account, string name, IReadOnlyList<ListedImage> found)
    {
        // To anybody else an official image is there, but not to be deleted, which is said further on.
        var own = found.Where(i => i.Namespace == account).ToList();
        var candidates = own.Count > 0 ? own : [.. found];
        return candidates.Count switch
        {
            0 => throw NoImage(name),
            1 => BatchItem.Parse("digest", $"{candidates[0].Repository}@{name}")!,
            _ => throw new ApiException(
                StatusCodes.Status409Conflict,
                $"Several repositories have '{name}', say which: {string.Join(", ", candidates.Take(10).Select(i => $"{i.Repository}@{name}"))}."
            ),
        };
    }

    private static async Task ProblemsAsync(HttpContext context, string account)
    {
        var asked = ProblemsQuery.Read(context.Request);
        var status = await context
            .RequestServices.GetRequiredService<StatusReader>()
            .ProblemsAsync(account, context.RequestAborted);
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.Vary = "Authorization, Accept-Encoding";
        await Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "problems",
            Problems(asked.Of(account, status)),
            (body, write) =>
            {
                Envelope.WriteObject(body, write);
                return ValueTask.CompletedTask;
            }
        );
    }

    private static IEnumerable<Action<Utf8JsonWriter>> Problems(IngestStatus status)
    {
        foreach (var refused in status.Refused)
        {
            yield return json =>
            {
                json.WriteString("kind", refused.State);
                json.WriteString("path", refused.Path);
                json.WriteString("reason", refused.Reason);
                if (refused.ActualDigest is not null)
                {
                    json.WriteString("digest", refused.ActualDigest);
                }

                json.WriteString("at", refused.At.ToUniversalTime());
            };
        }

        foreach (var note in status.Notes)
        {
            yield return json => ImageNoteJson.Write(json, note);
        }

        var tags = status.PendingTags.ToLookup(t => (t.Repository, t.Digest), t => t.Tag);
        foreach (var waiting in status.Waiting)
        {
            yield return json =>
            {
                json.WriteString("kind", "waiting");
                json.WriteString("repository", waiting.Repository);
                json.WriteString("manifest", waiting.Manifest);
                WriteTexts(json, "missing", waiting.Missing);
                WriteTexts(json, "tags", tags[(waiting.Repository, waiting.Manifest)].Order(StringComparer.Ordinal));
            };
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static async Task ShowAsync(HttpContext context, string name, ListedImage? image)
    {
        if (image is null)
        {
            throw NoImage(name);
        }

        var shape = Platform(context);
        if (!IsKnown(context, shape, "", image.Hash))
        {
            await WriteAsync(context, [new ListPiece(image)], shape);
        }
    }

    private static Task WriteAsync(HttpContext context, IEnumerable<ListPiece> pieces, Shape shape)
    {
        var items = pieces.SelectMany(piece => Texts(piece, shape));
        return Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "images",
            items,
            async (body, one) =>
                await (
                    one.Text is { } text
                        ? body.WriteAsync(text, context.RequestAborted)
                        : shape.WriteAsync(body, await WholeAsync(context, one.Image!), context.RequestAborted)
                ),
            shape.IsPlatform ? null : () => LengthOf(items)
        );
    }

    // In the shape of the first generation; null when facts are to be fetched first.
    private static long? LengthOf(IEnumerable<(byte[]? Text, ListedImage? Image)> items)
    {
        var length = -1L;
        foreach (var (text, image) in items)
        {
            if (image is { IsWhole: false })
            {
                return null;
            }

            length += 1 + (text?.Length ?? image!.V1Length);
        }

        return Math.Max(0, length);
    }

    // All of a chunk at once where its text is kept, else image by image.
    private static IEnumerable<(byte[]? Text, ListedImage? Image)> Texts(ListPiece piece, Shape shape) =>
        !shape.IsPlatform && piece.Chunk?.V1Text() is { } text
            ? [(text, null)]
            : piece.Images.Select(image => ((byte[]?)null, (ListedImage?)image));

    private static Task WriteDeletedAsync(HttpContext context, string member, string name) =>
        Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "images",
            [name],
            (body, text) =>
            {
                Envelope.WriteObject(body, json => json.WriteString(member, text));
                return ValueTask.CompletedTask;
            }
        );

    // Sets the headers of an answer that may be kept and asked for again; true when the client has it already and 304 is the answer.
    private static bool IsKnown(HttpContext context, Shape shape, string headers, UInt128 images)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes($"{shape.IsPlatform} {shape.Host} {headers}"));
        hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in images)));
        // Weak: `op_time_us` differs each time.
        var etag = new EntityTagHeaderValue($"\"{hash.GetCurrentHashAsUInt128():x32}\"", isWeak: true);
        context.Response.Headers.ETag = etag.ToString();
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.Vary = "Authorization, Accept-Encoding";
        if (
            EntityTagHeaderValue.TryParseList(context.Request.Headers.IfNoneMatch, out var known)
            && known.Any(k => k.Compare(etag, useStrongComparison: false) || k.Equals(EntityTagHeaderValue.Any))
        )
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return true;
        }

        return false;
    }

    // Behind a front end the address is not the one that the client used.
    private static Shape Platform(HttpContext context)
    {
        var configuration = context.RequestServices.GetRequiredService<IConfiguration>();
        var host =
            configuration["PublicHost"] is { Length: > 0 } configured ? configured
            : configuration["WEBSITE_HOSTNAME"] is { Length: > 0 } site ? site
            : context.Request.Host.Value ?? "";
        return new Shape(true, JsonEncodedText.Encode(host, Requests.Json.Encoder));
    }

    // Relative to the server: its own name is not known behind a front end.
    private static string NextPage(HttpRequest request, ListedImage last)
    {
        var query = new QueryBuilder(
            ListRequest.Query(request).Where(q => q.Name != "after").Select(q => KeyValuePair.Create(q.Name, q.Value))
        )
        {
            { "after", $"{last.Repository}@{last.Row.Digest}" },
        };
        return request.Path.ToUriComponent() + query;
    }

    // A slash arrives as %2F, and some front ends write its percent sign anew.
    private static string NameOf(HttpContext context) =>
        ((string?)context.Request.RouteValues["reference"] ?? "").Replace(
            "%2F",
            "/",
            StringComparison.OrdinalIgnoreCase
        );

    private static ValueTask<ListedImage> WholeAsync(HttpContext context, ListedImage image) =>
        image.IsWhole
            ? ValueTask.FromResult(image)
            : new ValueTask<ListedImage>(
                image.WholeAsync(context.RequestServices.GetRequiredService<ImageRows>(), context.RequestAborted)
            );

    private static ImageLists Lists(HttpContext context) => context.RequestServices.GetRequiredService<ImageLists>();

    private static ApiException NoImage(string name) =>
        new(StatusCodes.Status404NotFound, $"No image with name '{name}'", ErrorNumber.NotFound);
}
