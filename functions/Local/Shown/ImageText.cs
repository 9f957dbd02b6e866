using ImagesFunctions.Images;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>The details of an image for people.</summary>
internal sealed class ImageText(TextWriter output)
{
    private const int NameWidth = 14;

    /// <summary>Writes them.</summary>
    public void Write(ImageDetails details)
    {
        var (image, facts) = (details.Image, details.Facts);
        Line("image", $"{image.Repository.DisplayName}@{image.Digest}");
        Line("tags", image.Tags.Count == 0 ? "none" : string.Join(", ", image.Tags));
        Line("media type", image.MediaType);
        Line("size", $"{Values.Size(image.Size)} ({image.Size} bytes)");
        Line("pushed", image.Pushed is { } pushed ? Values.Text(pushed) : null);
        Line("last pulled", ImageJson.DayOf(details));
        Line("created", facts.Created);
        Line("pinned", image.IsPinned ? "yes" : null);
        Line("args", facts.Args.Count == 0 ? null : string.Join(' ', facts.Args.Select(TypedCommand.Quoted)));
        Line("kernel args", facts.KernelArgs.Length == 0 ? null : facts.KernelArgs);
        Line("env", facts.Env);
        Line("labels", [.. facts.Labels.Select(l => $"{l.Key}={l.Value}")]);
        Line("needed by", [.. details.NeededBy.Select(d => d.ToString())]);
        Section(
            "Unikernel",
            facts.Components,
            ["part", "digest", "size"],
            part => [RoleOf(part.Role), part.Digest, Values.Size(part.Size)]
        );
        Section(
            "Platforms",
            PlatformsOf(details.Manifest),
            ["platform", "digest", "size"],
            p => [$"{p.Platform?.Os}/{p.Platform?.Architecture}", p.Digest.ToString(), Values.Size(p.Size)]
        );
        Section(
            "Layers",
            details.Manifest.Layers,
            ["media type", "digest", "size"],
            layer => [layer.MediaType, layer.Digest.ToString(), Values.Size(layer.Size)]
        );
        Section(
            "Referrers",
            details.Referrers,
            ["type", "digest", "size"],
            r => [r.ArtifactType, r.Digest.ToString(), Values.Size(r.Size)]
        );
    }

    /// <summary>The platforms of an index. Attestations of BuildKit are of none, and no images.</summary>
    internal static IReadOnlyList<Descriptor> PlatformsOf(Manifest manifest) =>
        [.. manifest.Manifests.Where(m => !m.IsAttestation)];

    /// <summary>A role in words.</summary>
    internal static string RoleOf(ComponentRole role) =>
        role switch
        {
            ComponentRole.KernelDebug => "kernel with symbols",
            _ => role.ToString().ToLowerInvariant(),
        };

    private void Line(string name, string? value)
    {
        if (value is not null)
        {
            output.WriteLine($"{name.PadRight(NameWidth)}{Screen.Visible(value)}");
        }
    }

    private void Line(string name, IReadOnlyList<string> values)
    {
        foreach (var value in values)
        {
            Line(name, value);
            name = "";
        }
    }

    private void Section<T>(string title, IReadOnlyList<T> items, string[] headings, Func<T, string[]> cells)
    {
        if (items.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine($"{title}: {items.Count}");
        Screen.WriteTable(output, [.. headings.Select(h => (h, h == "size"))], items.Select(cells));
    }
}
