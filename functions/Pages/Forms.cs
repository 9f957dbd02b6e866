using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Http;
using ImagesFunctions.Images;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace ImagesFunctions.Pages;

/// <summary>The fields of a form that a browser sent, and whether it is one of ours.</summary>
internal sealed class Forms
{
    /// <summary>The field of the proof: see <see cref="Viewer.ProofOf"/>.</summary>
    public const string Proof = "proof";

    private const string MediaType = "application/x-www-form-urlencoded";
    private const int MaxLength = 16 * 1024;
    private static readonly char[] s_breaks = ['\r', '\n'];
    private static readonly char[] s_blanks = [' ', ',', .. s_breaks];
    private readonly IReadOnlyDictionary<string, StringValues> _fields;

    private Forms(IReadOnlyDictionary<string, StringValues> fields) => _fields = fields;

    /// <summary>The only value of a field, without blanks around it; "" where the form has none.</summary>
    public string this[string name] => All(name) is [{ } value] ? value.Trim() : "";

    /// <summary>The words of a field, which have blanks, commas or line breaks between them.</summary>
    public string[] Words(string name) => this[name].Split(s_blanks, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The lines of a field, without empty ones.</summary>
    public string[] Lines(string name) =>
        this[name].Split(s_breaks, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>All values of a field.</summary>
    public string[] All(string name) => [.. _fields.GetValueOrDefault(name).OfType<string>()];

    /// <summary>Reads a form that belongs to a page of ours, before anything is changed.</summary>
    /// <param name="context">The request.</param>
    /// <param name="viewer">Whose session it is; null where the form begins one.</param>
    /// <param name="maxLength">The most bytes that it may have.</param>
    /// <exception cref="PageException">403: another site sent it, or its page was of another session; 400, 413, 415.</exception>
    public static async Task<Forms> ReadAsync(HttpContext context, Viewer? viewer, int maxLength = MaxLength)
    {
        var request = context.Request;
        if (!IsOfThisSite(context))
        {
            throw Forged();
        }

        if (request.ContentType?.Split(';', 2)[0].Trim().ToLowerInvariant() != MediaType)
        {
            throw new PageException(StatusCodes.Status415UnsupportedMediaType, "This is not what a form sends.");
        }

        var bytes = await request.ReadBodyAsync(
            maxLength,
            () => new PageException(StatusCodes.Status413PayloadTooLarge, "The form is too long."),
            context.RequestAborted
        );
        var form = new Forms(QueryHelpers.ParseQuery(Encoding.UTF8.GetString(bytes)));
        if (viewer is not null && !IsProven(viewer, request.Path, form[Proof]))
        {
            throw Forged();
        }

        return form;
    }

    // Browsers say it of each request to an address that is private to them, and scripts cannot choose it (Fetch Metadata, section 2.4).
    // At other addresses they say the origin of a POST (Fetch, "append a request Origin header").
    private static bool IsOfThisSite(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers["Sec-Fetch-Site"] is [{ } site])
        {
            return site == "same-origin";
        }

        return headers.Origin is [{ } origin]
            && Uri.TryCreate(origin, UriKind.Absolute, out var from)
            && (from.Authority == PublicAddress.HostOf(context) || from.Authority == context.Request.Host.Value);
    }

    private static bool IsProven(Viewer viewer, PathString path, string proof) =>
        CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(proof),
            Encoding.UTF8.GetBytes(viewer.ProofOf(path.Value ?? ""))
        );

    private static PageException Forged() =>
        PageException.Forbidden(
            "This did not come from a page of your session, and nothing was changed. Go back, load the page again and try once more."
        );
}
