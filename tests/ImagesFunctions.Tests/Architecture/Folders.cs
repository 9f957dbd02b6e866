namespace ImagesFunctions.Tests.Architecture;

/// <summary>The folders of the libraries and their order.</summary>
public static class Folders
{
    /// <summary>The name of what stands in <c>functions/ImagesFunctions</c> itself: what puts everything together.</summary>
    public const string Root = ".";

    private const string Library = "ImagesFunctions";

    /// <summary>From the lowest, which knows no other, to the highest. Each may know those before it.</summary>
    public static IReadOnlyList<string> InOrder { get; } =
    [
        // Libraries of their own: the compiler keeps the order as well.
        "Oci",
        "Journal",
        // How settings are written.
        "Settings",
        // Who did something, and what the rules of an account allow.
        "Policy",
        // What streams of bytes have in common.
        "Streams",
        // What the service tells about itself.
        "Telemetry",
        // The storage account.
        "Storage",
        // Who asks, and how an answer is written.
        "Accounts",
        "Http",
        // What is stored, and every change of it.
        "Rows",
        "Blobs",
        // What tables can be made anew from.
        "Catalog",
        "Repositories",
        "Listing",
        // What happens to it.
        "Ingest",
        "Rebuild",
        "GarbageCollection",
        "Images",
        "Registry",
        "Boot",
        Root,
        // A library of its own, above this one: what people look at.
        "Pages",
    ];

    /// <summary>Neighbours that stay apart although the order would let them know each other.</summary>
    public static IReadOnlyList<(string From, string To)> Apart { get; } =
    [
        ("Journal", "Oci"),
        ("Images", "Ingest"),
        ("Images", "GarbageCollection"),
        ("Registry", "Ingest"),
        ("Registry", "GarbageCollection"),
        ("Registry", "Images"),
        ("Boot", "Ingest"),
        ("Boot", "GarbageCollection"),
        ("Pages", "Ingest"),
        ("Pages", "GarbageCollection"),
        ("Pages", "Rebuild"),
    ];

    /// <summary>Where types of the Azure SDK may be named: the storage account, the bytes in it, and the exporter of telemetry.</summary>
    public static IReadOnlyList<string> OfAzure { get; } = ["Storage", "Blobs", "Telemetry"];

    /// <summary>The folder of a library's source, or null where a file belongs to none.</summary>
    public static string? Of(string path) =>
        path.Split('/') switch
        {
            ["functions", Library, _] => Root,
            ["functions", Library, var folder, ..] => folder,
            ["functions", ("Oci" or "Journal" or "Pages") and var folder, ..] => folder,
            _ => null,
        };

    /// <summary>The namespace of a folder's types.</summary>
    public static string Namespace(string folder) => folder == Root ? Library : $"{Library}.{folder}";

    /// <summary>Whether one folder may know another one.</summary>
    public static bool MayKnow(string from, string to)
    {
        var (place, other) = (InOrder.IndexOf(from), InOrder.IndexOf(to));
        return from == to || (other >= 0 && other < place && !Apart.Contains((from, to)));
    }

    private static int IndexOf(this IReadOnlyList<string> order, string folder)
    {
        for (var i = 0; i < order.Count; i++)
        {
            if (order[i] == folder)
            {
                return i;
            }
        }

        return -1;
    }
}
