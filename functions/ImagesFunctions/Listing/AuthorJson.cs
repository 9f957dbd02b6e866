using System.Text;
using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Policy;

namespace ImagesFunctions.Listing;

/// <summary>Who has pushed something, as <c>/v1</c> writes it: <c>{"token": id}</c>, or <c>{"issuer": …, "subject": …}</c>.</summary>
internal static class AuthorJson
{
    /// <summary>Writes the object.</summary>
    public static void Write(Utf8JsonWriter json, Author author)
    {
        json.WriteStartObject();
        if (author.Token is { } token)
        {
            json.WriteString("token", token);
        }
        else
        {
            json.WriteString("issuer", author.Issuer);
            json.WriteString("subject", author.Subject);
        }

        json.WriteEndObject();
    }

    /// <summary>The object as text.</summary>
    public static string Text(Author author)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Answers.Json))
        {
            Write(json, author);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
