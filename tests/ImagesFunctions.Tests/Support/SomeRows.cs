using System.Collections.Concurrent;
using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// Rows of one repository for tests of what is decided from rows, and changes in words. Digests have names here: <c>D("layer")</c>
/// is shown as <c>layer</c> wherever it stands.
/// </summary>
internal static class SomeRows
{
    public const string Namespace = "alice";
    public const string App = "web";

    /// <summary>The state of a blob whose bytes are gone or others.</summary>
    public const BlobState Invalid = BlobState.Invalid;

    private static readonly ConcurrentDictionary<string, string> s_names = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, Digest> s_contents = new(StringComparer.Ordinal);

    /// <summary>The repository.</summary>
    public static Repository Web { get; } = Repository.Of(Namespace, App);

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Gives a name to bytes that are stored, and read by their digest. The name is theirs in all tests.</summary>
    /// <returns>The bytes.</returns>
    public static string Named(string name, string content)
    {
        s_contents[name] = Digest.Sha256(Encoding.UTF8.GetBytes(content));
        return content;
    }

    /// <summary>The digest that has this name.</summary>
    public static Digest D(string name)
    {
        var digest = s_contents.GetValueOrDefault(name) ?? Digest.Sha256(Encoding.UTF8.GetBytes(name));
        s_names[digest.ToString()] = name;
        s_names[digest.ShortKey] = name;
        return digest;
    }

    public static BlobRow Blob(string name, BlobState state = BlobState.Good, bool pushed = false) =>
        new(App, D(name), 1, ETagOf(name), state, null) { Pushed = pushed };

    /// <summary>The ETag that the blob of this name has, as its row says.</summary>
    public static string ETagOf(string name) => $"\"{name}\"";

    /// <summary>An image's row.</summary>
    /// <param name="name">The name of its digest.</param>
    /// <param name="state">Whether it counts.</param>
    /// <param name="generation">What its tags name.</param>
    /// <param name="subject">The name of the digest that it refers to, or null.</param>
    /// <param name="children">What it names, if it is an index.</param>
    public static ImageRow Image(
        string name,
        ImageState state = ImageState.Complete,
        string generation = "g",
        string? subject = null,
        params string[] children
    ) =>
        new(App, D(name))
        {
            MediaType = children.Length == 0 ? MediaTypes.OciManifest : MediaTypes.OciIndex,
            Size = 1,
            IsImage = true,
            Generation = generation,
            State = state,
            Subject = subject is null ? null : D(subject),
            Children = [.. children.Select(child => D(child).ToString())],
        };

    public static TagRow Tag(string tag, string image, string? generation = "g", bool fromLayout = false) =>
        new(App, tag, D(image), generation, fromLayout);

    /// <summary>That a manifest, <c>index.json</c> or a tag (<c>tag:latest</c>) needs something.</summary>
    public static DependencyRow Need(string needed, string by, string? type = null) =>
        new(App, D(needed), By(by), type);

    public static Dependent By(string name)
    {
        var by =
            name == "index.json" ? Dependent.Layout
            : name.StartsWith("tag:", StringComparison.Ordinal) ? Dependent.Tag(name[4..])
            : Dependent.Manifest(D(name));
        s_names[by.ShortKey] = name;
        return by;
    }

    public static ReferrerRow Referrer(string subject, string referrer) =>
        new(App, D(subject), D(referrer), MediaTypes.OciManifest, 1, null, null);

    /// <summary>The namespace as a decision sees it.</summary>
    public static DecisionView ViewOf(params TableRow[] rows) => ViewOf(DateTimeOffset.UnixEpoch, rows);

    /// <summary>As the other overload, with rows that were written at this moment.</summary>
    public static DecisionView ViewOf(DateTimeOffset at, params TableRow[] rows) =>
        ViewOf([.. rows.Select(row => (row, at))]);

    /// <summary>As the other overload, with rows that were written each at its moment.</summary>
    public static DecisionView ViewOf(params (TableRow Row, DateTimeOffset At)[] rows)
    {
        var table = new MemoryTable();
        foreach (var (row, at) in rows)
        {
            table.Put(Namespace, row, at);
        }

        return new DecisionView(table, Namespace, 0);
    }

    /// <summary>A key, with names for digests.</summary>
    public static string Text(string key) =>
        string.Join('!', key.Split('!').Select(part => s_names.GetValueOrDefault(part, part)));

    /// <summary>A change in words: <c>-t!web!old</c>, <c>+i!web!image hidden g</c>, and <c>if same</c> where it depends on the row that was read.</summary>
    public static string Text(Change change)
    {
        if (change is { Key: ['n', ..], Row: { } need })
        {
            var by = Dependent.Parse(need.Text("by"));
            s_names.TryAdd(by.ShortKey, by.Text);
        }

        return (change.Row is null ? "-" : "+")
            + Text(change.Key)
            + (change.Row is { } row ? Values(row) : "")
            + (change.IfMatch is null ? "" : " if same")
            + (change.IsNew ? " if new" : "");
    }

    /// <summary>Changes in words, in the order of their keys.</summary>
    public static string[] Texts(IEnumerable<Change> changes) =>
        [.. changes.OrderBy(c => c.Key, StringComparer.Ordinal).Select(Text).Order(StringComparer.Ordinal)];

    private static string Values(TableRow row) =>
        row.Key[0] switch
        {
            'i' => $" {row.GetString("state")} {row.GetString("generation")}",
            't' => $" {s_names[row.Text("digest")]} {row.GetString("generation") ?? "waits"} {row.Text("source")}",
            'b' => $" {row.GetString("state") ?? "good"}",
            'n' => row.GetBoolean("deleted") == true ? " deleted" : "",
            'j' => $" {row.GetString("etag")}",
            _ => "",
        };
}
