using ImagesFunctions.Oci;

namespace ImagesFunctions.Pages;

/// <summary>Takes the size of an image apart.</summary>
internal static class SizeParts
{
    /// <summary>The components of a unikernel image and the rest of its size; nothing of an ordinary image.</summary>
    /// <param name="facts">The facts of the image.</param>
    /// <param name="size">Its size in bytes.</param>
    public static IReadOnlyList<SizePart> Of(ImageFacts facts, long size)
    {
        if (facts.Components.Count == 0)
        {
            return [];
        }

        var parts = facts.Components.Select(c => new SizePart(Label(c.Role), c.Size, Style(c.Role))).ToList();
        var rest = size - parts.Sum(p => p.Bytes);
        if (rest > 0)
        {
            parts.Add(new SizePart("Config and other layers", rest, 5));
        }

        return parts;
    }

    /// <summary>What a layer with a role is called.</summary>
    public static string Label(ComponentRole role) =>
        role switch
        {
            ComponentRole.Kernel => "Kernel",
            ComponentRole.KernelDebug => "Kernel with symbols",
            ComponentRole.Initrd => "Initial RAM disk",
            _ => "ROM",
        };

    private static int Style(ComponentRole role) =>
        role switch
        {
            ComponentRole.Kernel => 1,
            ComponentRole.Initrd => 2,
            ComponentRole.Rom => 3,
            _ => 4,
        };
}
