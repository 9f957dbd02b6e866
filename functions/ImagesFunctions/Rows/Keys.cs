using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>
/// Makes the keys of rows. The separator <c>!</c> sorts before every character of a name, and app names are
/// written with <c>- . /</c> as <c>, - .</c>, so that keys hold no slash and their ordinal order is the repositories' order.
/// </summary>
internal static class Keys
{
    /// <summary>The partition of refusals whose path has no namespace. This is not a valid namespace.</summary>
    public const string RefusedPartition = "!refused";

    /// <summary>The partition of notes of what is to be collected when. This is not a valid namespace.</summary>
    public const string DuePartition = "!due";

    /// <summary>The row of the partition of notes that says how far the walk over all namespaces is; it sorts before all notes.</summary>
    public const string WalkPlace = "d!!walk";

    /// <summary>The note that a namespace has something to collect from this hour on; by hours, and then by a hash of the namespace.</summary>
    public static string Due(DateTimeOffset hour, string @namespace) =>
        $"d!{HourOf(hour)}!{SHA256.HashData(Encoding.UTF8.GetBytes(@namespace))[0]:x2}!{@namespace}";

    /// <summary>How far the walk is, and the notes of all hours until now.</summary>
    public static KeyRange DueAt(DateTimeOffset now) => new("d!", $"d!{HourOf(now.AddHours(1))}");

    /// <summary>
    /// Whether the journal holds a row in full: lists are brought up to date from the images and tags there, and the catalog from
    /// what bytes do not say, to which the applied <c>index.json</c> and the rules of the account belong.
    /// </summary>
    public static bool IsInFull(string key) => key[0] is 'i' or 't' or 'j' or 'p';

    public static string Image(string app, Digest digest) => $"i!{Encode(app)}!{digest}";

    public static string Tag(string app, string tag) => $"t!{Encode(app)}!{tag}";

    public static string Blob(string app, Digest digest) => $"b!{digest}!{Encode(app)}";

    public static string Blob(BlobPath path) => Blob(path.Repository.App, path.Digest);

    public static string Dependency(string app, Digest needed, Dependent by) =>
        $"n!{Encode(app)}!{needed}!{by.ShortKey}";

    public static string Referrer(string app, Digest subject, Digest referrer) =>
        $"r!{Encode(app)}!{subject}!{referrer.ShortKey}";

    public static string Boot(string app, Digest tar) => $"o!{Encode(app)}!{tar}";

    /// <summary>When an image was pulled last.</summary>
    public static string Pulled(string app, Digest image) => $"l!{Encode(app)}!{image}";

    public static string Layout(string app) => $"j!{Encode(app)}";

    public static string Refused(string path) =>
        "x!" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)));

    /// <summary>How far the rows of a namespace are seeded while it is rebuilt.</summary>
    public const string Seeding = "s!rebuild";

    /// <summary>The rules of the account.</summary>
    public const string Rules = "p!rules";

    /// <summary>How many bytes the account may store.</summary>
    public const string Quota = "p!quota";

    /// <summary>What an account with a quota takes.</summary>
    public const string Used = "q!used";

    public static string Upload(string id) => $"u!{id}";

    /// <summary>All rows of a kind: one of <c>i t n b j p x c o l</c>.</summary>
    public static KeyRange All(char kind) => KeyRange.Prefix($"{kind}!");

    /// <summary>All rows of a kind of one app.</summary>
    public static KeyRange OfApp(char kind, string app) => KeyRange.Prefix($"{kind}!{Encode(app)}!");

    /// <summary>The rows of a blob in all apps of the namespace.</summary>
    public static KeyRange Blobs(Digest digest) => KeyRange.Prefix($"b!{digest}!");

    /// <summary>The rows of the manifests that refer to a subject.</summary>
    public static KeyRange Referrers(string app, Digest subject) => KeyRange.Prefix($"r!{Encode(app)}!{subject}!");

    /// <summary>The dependency rows of a digest.</summary>
    public static KeyRange Dependencies(string app, Digest needed) => KeyRange.Prefix($"n!{Encode(app)}!{needed}!");

    /// <summary>The key that stands in the journal for all dependency rows of a digest.</summary>
    public static string AnyDependency(string app, Digest needed) => $"n!{Encode(app)}!{needed}!";

    /// <summary>The key that stands in the journal for all dependency rows of an app.</summary>
    public static string AnyDependency(string app) => $"n!{Encode(app)}!";

    private static string HourOf(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyyMMddHH", CultureInfo.InvariantCulture);

    /// <summary>The form of a name, or of a prefix of one, in keys.</summary>
    public static string Encode(string app) =>
        string.Create(
            app.Length,
            app,
            static (to, from) =>
            {
                for (var i = 0; i < from.Length; i++)
                {
                    to[i] = from[i] switch
                    {
                        '-' => ',',
                        '.' => '-',
                        '/' => '.',
                        var c => c,
                    };
                }
            }
        );

    /// <summary>The name that has this form: the reverse of <see cref="Encode"/>.</summary>
    public static string Decode(string key) =>
        string.Create(
            key.Length,
            key,
            static (to, from) =>
            {
                for (var i = 0; i < from.Length; i++)
                {
                    to[i] = from[i] switch
                    {
                        ',' => '-',
                        '-' => '.',
                        '.' => '/',
                        var c => c,
                    };
                }
            }
        );
}
