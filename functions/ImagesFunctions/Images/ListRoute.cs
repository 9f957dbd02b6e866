using System.Globalization;
using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/images/list</c>, <c>/v1/images</c> and <c>/v1/image-store</c>.</summary>
internal static class ListRoute
{
    // Starts to read the sequence numbers of a list while the token's row is read. Other methods list nothing.
    public static void ReadAhead(HttpContext context, string account)
    {
        if (Access.IsSafe(context.Request.Method))
        {
            context.Features.Set(Ahead(context, account));
        }
    }

    /// <summary>The prefetched sequence numbers; their reads start now where there are none.</summary>
    public static SequenceReads Sequences(HttpContext context, Access access) =>
        context.Features.Get<SequenceReads>() ?? Ahead(context, access.Account);

    private static SequenceReads Ahead(HttpContext context, string account) =>
        ImagesAnswer
            .Lists(context)
            .Ahead(account, ownOnly: context.Request.QueryString.HasValue, context.RequestAborted);

    public static async Task ListAsync(HttpContext context, Access access, ImageShape shape)
    {
        var request = await ListRequest.ReadAsync(context.Request, shape.IsPlatform, context.RequestAborted);
        if (request.Batch is { } batch)
        {
            await BatchAnswer.WriteAsync(context, access, request.Filter, batch, shape);
            return;
        }

        if (request.AnyOf.Count > 0)
        {
            await AnyOfAsync(context, access, request, shape);
            return;
        }

        var sequences = Sequences(context, access);
        var page = await ImagesAnswer.Lists(context).ListAsync(access, request, sequences, context.RequestAborted);
        var next = page.Next is null ? null : NextPage(context.Request, page.Next);
        if (next is not null)
        {
            context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        }

        context.Response.Headers["X-Total-Count"] = page.Total.ToString(CultureInfo.InvariantCulture);
        if (
            !ImagesAnswer.IsKnown(
                context,
                shape,
                $"{page.Total} {next} {shape.PinsOver(page.Images.SelectMany(p => p.Images))}",
                page.Hash
            )
        )
        {
            await ImagesAnswer.WriteAsync(context, page.Images, shape);
        }
    }

    // Each image once, however many references match it.
    private static async Task AnyOfAsync(HttpContext context, Access access, ListRequest request, ImageShape shape)
    {
        var filters = request.AnyOf.Select(any => request.Filter with { Digest = any.Digest, Tag = any.Tag });
        var found = await ImagesAnswer
            .Lists(context)
            .FindAsync(access, [.. filters], Sequences(context, access), context.RequestAborted);
        List<ListedImage> images =
        [
            .. found
                .OfType<ListedImage>()
                .DistinctBy(i => (i.Namespace, i.Key))
                .OrderBy(i => i.Repository, StringComparer.Ordinal)
                .ThenBy(i => i.Key, StringComparer.Ordinal),
        ];
        context.Response.Headers["X-Total-Count"] = images.Count.ToString(CultureInfo.InvariantCulture);
        var hash = ListSum.Of(images).Hash;
        if (!ImagesAnswer.IsKnown(context, shape, $"{images.Count} {shape.PinsOver(images)}", hash))
        {
            await ImagesAnswer.WriteAsync(context, images.Select(i => new ListPiece(i)), shape);
        }
    }

    // Relative: behind a front end the public name of the server is unknown.
    private static string NextPage(HttpRequest request, ListedImage last)
    {
        var query = new QueryBuilder(
            QueryParameters
                .Single(request)
                .Where(q => q.Name != "after")
                .Select(q => KeyValuePair.Create(q.Name, q.Value))
        )
        {
            { "after", $"{last.Repository}@{last.Row.Digest}" },
        };
        return request.Path.ToUriComponent() + query;
    }
}
