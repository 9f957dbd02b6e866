using ImagesFunctions.Images;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Pages;

/// <summary>A line to type.</summary>
/// <param name="Label">What it is for.</param>
/// <param name="Text">The line.</param>
public sealed record CommandLine(string Label, string Text);

/// <summary>The lines that pull, copy and boot an image, as they work from where the page is looked at.</summary>
internal static class CommandLines
{
    /// <summary>Of one image.</summary>
    /// <param name="context">The request.</param>
    /// <param name="repository">Its repository.</param>
    /// <param name="tag">A tag of it; null: it is named by its digest, which boots nothing.</param>
    /// <param name="digest">Its digest.</param>
    /// <param name="isUnikernel">Whether it has a kernel.</param>
    public static IReadOnlyList<CommandLine> Of(
        HttpContext context,
        Repository repository,
        string? tag,
        string digest,
        bool isUnikernel
    )
    {
        var host = PublicAddress.HostOf(context);
        var name = $"{host}/{repository}{(tag is null ? "@" + digest : ":" + tag)}";
        var copy = $"{repository.App.Split('/')[^1]}:{tag ?? "latest"}";
        var withoutTls = PublicAddress.BaseOf(context).StartsWith("https:", StringComparison.Ordinal)
            ? ""
            : "--src-tls-verify=false ";
        var lines = new List<CommandLine>
        {
            new("Pull with docker", $"docker pull {name}"),
            new("Copy with skopeo", $"skopeo copy --all --preserve-digests {withoutTls}docker://{name} oci:{copy}"),
        };
        if (isUnikernel && tag is not null)
        {
            lines.Add(
                new CommandLine(
                    withoutTls.Length == 0 ? "Boot with unikraft" : "Boot with unikraft, over TLS",
                    $"unikraft run --image https+oci://{host}/boot/{repository}/{tag}"
                )
            );
        }

        return lines;
    }
}
