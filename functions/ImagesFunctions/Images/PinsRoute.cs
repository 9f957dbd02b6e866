using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>POST</c> and <c>DELETE</c> of <c>/v1/images</c>: pins and unpins images.</summary>
internal static class PinsRoute
{
    private sealed record Failure(string Message, int Number, string? Uuid = null);

    private sealed record Pinned(Repository Repository, ImageRow Row)
    {
        /// <summary>The filter that finds it in lists.</summary>
        public ListFilter Filter =>
            new() { Digest = BatchItem.Parse("digest", $"{Repository.DisplayName}@{Row.Digest}") };

        public Guid Uuid => PinnedImage.UuidOf(Repository, Row.Digest);
    }

    /// <summary>Pins each named image; one result for each item, in order.</summary>
    public static async Task PinAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        var items = await PinRequest.ReadAsync(context.Request, context.RequestAborted);
        var results = new List<(Pinned? Done, Failure? Failed)>(items.Count);
        foreach (var item in items)
        {
            results.Add(await PinAsync(context, access, item));
        }

        // The tags of all images are read once, and are of one moment.
        var listed = new Queue<ListedImage?>(
            await ImagesAnswer
                .Lists(context)
                .FindAsync(
                    access,
                    [.. results.Select(r => r.Done?.Filter).OfType<ListFilter>()],
                    context.RequestAborted
                )
        );
        var host = PublicAddress.HostOf(context);
        await WriteAsync(
            context,
            [
                .. results.Select(r =>
                    (r.Failed, WriteDone: r.Done is null ? null : Writer(r.Done, listed.Dequeue()?.Tags ?? [], host))
                ),
            ]
        );
    }

    /// <summary>Unpins each image whose pin has a given UUID; one result for each item, in order.</summary>
    public static async Task UnpinAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        var uuids = await PinRequest.ReadUuidsAsync(context.Request, context.RequestAborted);
        var pins = context.RequestServices.GetRequiredService<Pins>();
        var pinned = (await pins.AllAsync(access.Account, context.RequestAborted))
            .Where(p => access.MayRead(p.Repository))
            .ToDictionary(p => PinnedImage.UuidOf(p.Repository, p.Digest));
        var results = new List<(Failure? Failed, Action<Utf8JsonWriter>? WriteDone)>(uuids.Count);
        foreach (var text in uuids)
        {
            if (!Guid.TryParseExact(text, "D", out var uuid))
            {
                results.Add((new Failure($"'{text}' is not a UUID", ErrorNumber.Invalid, text), null));
            }
            else if (pinned.TryGetValue(uuid, out var seen) && !access.May(Rights.Admin, seen.Repository))
            {
                results.Add(
                    (new Failure("This token may not unpin: it has not admin", ErrorNumber.NotAllowed, text), null)
                );
            }
            else if (
                pinned.Remove(uuid, out var pin)
                && await pins.UnpinAsync(pin.Repository, pin.Digest, context.RequestAborted, access.By)
            )
            {
                results.Add((null, json => WriteUnpinned(json, uuid, pin.Repository)));
            }
            else
            {
                results.Add((new Failure($"No pin with UUID '{text}'", ErrorNumber.NotFound, text), null));
            }
        }

        await WriteAsync(context, results);
    }

    private static async Task<(Pinned? Done, Failure? Failed)> PinAsync(
        HttpContext context,
        Access access,
        PinItem item
    )
    {
        var (reference, failure) = ReferenceOf(context, access, item.Url);
        if (reference is null)
        {
            return (null, failure);
        }

        var services = context.RequestServices;
        var now = services.GetRequiredService<StorageClock>().UtcNow.ToUnixTimeMilliseconds();
        var pin = new ImagePin(DateTimeOffset.FromUnixTimeMilliseconds(now), item.Autokill);
        var row = await services.GetRequiredService<Pins>().PinAsync(reference, pin, context.RequestAborted, access.By);
        if (row is null)
        {
            return (null, NoImage(item.Url));
        }

        var imageRows = services.GetRequiredService<ImageRows>();
        row = await imageRows.WithFactsAsync(reference.Repository.Namespace, row, context.RequestAborted);
        return (new Pinned(reference.Repository, row), null);
    }

    // An image elsewhere is never fetched. Whether another account's image exists is not disclosed.
    private static (Reference? Reference, Failure? Failed) ReferenceOf(HttpContext context, Access access, string url)
    {
        var name = PinnedName.Of(url, PublicAddress.HostOf(context));
        if (name is null)
        {
            return (
                null,
                new Failure(
                    $"'{url}' is not here: images that are here can be pinned, and no others",
                    ErrorNumber.Failed
                )
            );
        }

        var reference = BatchItem.Parse("tag", name) ?? BatchItem.Parse("digest", name);
        return reference is null ? (null, new Failure($"The url '{url}' {PinnedName.Malformed}", ErrorNumber.Invalid))
            : !access.Owns(reference.Repository)
                ? (null, new Failure($"'{url}' is not in the namespace of this account", ErrorNumber.NotAllowed))
            : !access.MayRead(reference.Repository) ? (null, NoImage(url))
            : !access.MayPin(reference.Repository)
                ? (null, new Failure($"This token may not pin '{url}'", ErrorNumber.NotAllowed))
            : (reference, null);
    }

    private static Failure NoImage(string url) => new($"No image with name '{url}'", ErrorNumber.NotFound);

    private static Task WriteAsync(
        HttpContext context,
        IReadOnlyList<(Failure? Failed, Action<Utf8JsonWriter>? WriteDone)> results
    )
    {
        context.Response.Headers.CacheControl = "no-store";
        return Envelope.WriteResultsAsync(
            context,
            results,
            result => result.Failed is not null,
            (body, result) =>
            {
                Envelope.WriteObject(body, result.WriteDone ?? (json => WriteFailure(json, result.Failed!)));
                return ValueTask.CompletedTask;
            }
        );
    }

    private static void WriteFailure(Utf8JsonWriter json, Failure failure)
    {
        json.WriteString("status", "error");
        json.WriteString("message", failure.Message);
        json.WriteNumber("error", failure.Number);
        if (failure.Uuid is not null)
        {
            json.WriteString("uuid", failure.Uuid);
        }
    }

    private static void WriteUnpinned(Utf8JsonWriter json, Guid uuid, Repository repository)
    {
        json.WriteString("status", "success");
        json.WriteString("uuid", uuid);
        json.WriteString("name", repository.ToString());
    }

    private static Action<Utf8JsonWriter> Writer(Pinned pinned, IReadOnlyList<string> tags, string host) =>
        json =>
        {
            WriteUnpinned(json, pinned.Uuid, pinned.Repository);
            json.WriteString("created_at", ImageTexts.CreatedAt(pinned.Row));
            json.WriteString("state", "ready");
            json.WriteString("url", $"{host}/{pinned.Repository}@{pinned.Row.Digest}");
            json.WriteBoolean("persistent", value: true);
            json.WriteStartArray("tags");
            foreach (var tag in tags)
            {
                json.WriteStringValue(tag);
            }

            json.WriteEndArray();
        };
}
