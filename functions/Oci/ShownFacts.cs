using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>
/// The facts of an image that lists show: of very long ones only as many as fit, so that a short manifest that names a long config
/// makes neither a long row nor a long list.
/// </summary>
public static class ShownFacts
{
    /// <summary>The most bytes of JSON that the shown facts of one image take.</summary>
    public const int MaxBytes = 16 * 1024;

    // A character takes at most six bytes, as \u0000.
    private const int MaxPerCharacter = 6;

    // Quotation marks, a colon, a comma.
    private const int OfText = 4;

    // The names of the members and the number of a component or a platform.
    private const int OfObject = 100;

    // RFC 3339 with all digits that a clock has.
    private const int MaxCreated = 64;

    private sealed class Room
    {
        private int _left = MaxBytes;

        /// <summary>Whether something did not fit.</summary>
        public bool IsOver { get; private set; }

        /// <summary>Takes texts that belong together, if they fit.</summary>
        public bool Takes(int more, params IEnumerable<string> texts)
        {
            var size = more;
            foreach (var text in texts)
            {
                // What is too long is not even looked at.
                size += text.Length > _left ? MaxBytes : OfText + Encoded(text);
                if (size > _left)
                {
                    IsOver = true;
                    return false;
                }
            }

            _left -= size;
            return true;
        }

        private static int Encoded(string text) =>
            JsonEncodedText
                .Encode(Encoding.UTF8.GetBytes(text), JavaScriptEncoder.UnsafeRelaxedJsonEscaping)
                .EncodedUtf8Bytes.Length;
    }

    /// <summary>
    /// The same facts where all of them fit. Else what is short comes first: the kernel's command line and the arguments, each as
    /// a whole or not at all, then components, platforms, variables and labels, of each as many as fit, in their order.
    /// </summary>
    public static ImageFacts Of(ImageFacts facts)
    {
        if (Characters(facts) <= MaxBytes / MaxPerCharacter)
        {
            return facts;
        }

        var room = new Room();
        var created = facts.Created is null || facts.Created.Length <= MaxCreated && room.Takes(0, facts.Created);
        var shown = facts with
        {
            Created = created ? facts.Created : null,
            KernelArgs = room.Takes(0, facts.KernelArgs) ? facts.KernelArgs : "",
            Args = room.Takes(0, facts.Args) ? facts.Args : [],
            Components = [.. facts.Components.Where(c => room.Takes(OfObject, Texts(c)))],
            Platforms = [.. facts.Platforms.Where(p => room.Takes(OfObject, Texts(p)))],
            Env = [.. facts.Env.Where(variable => room.Takes(0, variable))],
            Labels = facts
                .Labels.OrderBy(l => l.Key, StringComparer.Ordinal)
                .Where(l => room.Takes(0, l.Key, l.Value))
                .ToDictionary(StringComparer.Ordinal),
        };
        return room.IsOver || !created ? shown : facts;
    }

    private static long Characters(ImageFacts facts) =>
        (facts.Created?.Length ?? 0)
        + facts.KernelArgs.Length
        + facts.Args.Sum(Length)
        + facts.Env.Sum(Length)
        + facts.Labels.Sum(l => Length(l.Key) + Length(l.Value))
        + facts.Components.Sum(c => OfObject + Texts(c).Sum(Length))
        + facts.Platforms.Sum(p => OfObject + Texts(p).Sum(Length));

    private static long Length(string text) => OfText + text.Length;

    private static IEnumerable<string> Texts(ImageComponent component) =>
        [component.Digest, component.MediaType, .. component.Annotations.SelectMany(a => (string[])[a.Key, a.Value])];

    private static IEnumerable<string> Texts(ImagePlatform platform) =>
        [platform.Os ?? "", platform.Architecture ?? "", platform.Digest];
}
