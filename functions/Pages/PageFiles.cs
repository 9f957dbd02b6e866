using System.Collections.Frozen;
using System.Security.Cryptography;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Pages;

/// <summary>
/// The style sheet, the script and the icon of the pages. Their names have a hash of their content, so that a browser keeps them for
/// good and never takes those of another version.
/// </summary>
internal static class PageFiles
{
    /// <summary>Where they are, below the root of the pages.</summary>
    public const string Folder = "assets/";

    private sealed record Asset(string Path, string Name, string MediaType, byte[] Content);

    private static readonly Asset s_style = Load("browse.css", "text/css; charset=utf-8");
    private static readonly Asset s_script = Load("browse.js", "text/javascript; charset=utf-8");
    private static readonly Asset s_icon = Load("icon.svg", "image/svg+xml");
    private static readonly FrozenDictionary<string, Asset> s_byName = new[]
    {
        s_style,
        s_script,
        s_icon,
    }.ToFrozenDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>The path of the style sheet.</summary>
    public static string Style => s_style.Path;

    /// <summary>The path of the script.</summary>
    public static string Script => s_script.Path;

    /// <summary>The path of the icon.</summary>
    public static string Icon => s_icon.Path;

    /// <summary>Sends one of them.</summary>
    /// <exception cref="PageException">404: there is none of this name, such as that of another version.</exception>
    public static Task SendAsync(HttpContext context, string name)
    {
        if (!s_byName.TryGetValue(name, out var asset))
        {
            throw PageException.NotFound();
        }

        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return context.Response.WriteBodyAsync(asset.MediaType, asset.Content, context.RequestAborted);
    }

    private static Asset Load(string file, string mediaType)
    {
        using var resource = typeof(PageFiles).Assembly.GetManifestResourceStream(file)!;
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8));
        var name = $"{Path.GetFileNameWithoutExtension(file)}.{hash}{Path.GetExtension(file)}";
        return new Asset($"{BrowseRoutes.Root}/{Folder}{name}", name, mediaType, content);
    }
}
