using System.Globalization;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/images</c> of the control plane: the repositories that have tags, and with <c>details</c> their tags.</summary>
internal static class RepositoriesRoute
{
    public static async Task ListAsync(HttpContext context, Access access)
    {
        var request = RepositoriesRequest.Read(context.Request);
        var sequences = ListRoute.Sequences(context, access);
        var images = await ImagesAnswer
            .Lists(context)
            .TaggedAsync(access, request.Filters, sequences, context.RequestAborted);
        var shape = ImageShape.Platform(context);
        var hash = ListSum.Of(images).Hash;
        if (ImagesAnswer.IsKnown(context, shape, $"repositories {request.Details} {access.Account}", hash))
        {
            return;
        }

        var repositories = images
            .GroupBy(image => $"{image.Namespace}/{image.Row.App}", StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        await Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "images",
            repositories,
            (body, repository) =>
                WriteAsync(body, shape.Host, access, repository, request.Details, context.RequestAborted)
        );
    }

    // Repositories, digests and tags have no character that JSON escapes.
    private static async ValueTask WriteAsync(
        ResponseBuffer body,
        JsonEncodedText host,
        Access access,
        IGrouping<string, ListedImage> repository,
        bool details,
        CancellationToken cancellationToken
    )
    {
        body.Write("{\"name\":\""u8);
        body.Write(host.EncodedUtf8Bytes);
        body.Write(Encoding.UTF8.GetBytes($"/{repository.Key}\""));
        if (details)
        {
            var before = ",\"tags\":[";
            var tags = repository.SelectMany(image =>
                image.Tags.Select((tag, i) => (Tag: tag, Image: image, Index: i))
            );
            foreach (var (tag, image, index) in tags.OrderBy(t => t.Tag, StringComparer.Ordinal))
            {
                var isOwn = access.Owns(image.Namespace);
                body.Write(Encoding.UTF8.GetBytes(before + TagText(tag, image, image.PushOf(index), isOwn)));
                before = ",";
                if (body.IsFull)
                {
                    await body.SendAsync(cancellationToken);
                }
            }

            body.Write("]"u8);
        }

        body.Write("}"u8);
    }

    // Rows of an earlier version have no time: a tag's is that of the commit of its image then, and 1970 where that has none either.
    private static string TagText(string tag, ListedImage image, TagPush? push, bool isOwn)
    {
        var time = ListedImage.TimeText(push?.At ?? image.Row.Committed ?? DateTimeOffset.UnixEpoch);
        var by = isOwn && push?.By is { } author ? $",\"pushed_by\":{AuthorJson.Text(author)}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"name":"{{tag}}","digest":"{{image.Row.Digest}}","size":{{image.Row.Size}},"push_time":"{{time}}"{{by}}}"""
        );
    }
}
