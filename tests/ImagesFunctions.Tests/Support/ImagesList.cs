using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Support;

/// <summary>An answer of the Images API, with its body as it came.</summary>
public sealed record Answer(HttpStatusCode Status, string? ContentType, string Body)
{
    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();

    /// <summary>What it lists.</summary>
    /// <exception cref="AskAgainException">It says that storage does not answer now.</exception>
    public IReadOnlyList<JsonObject> Images =>
        Status == HttpStatusCode.ServiceUnavailable
            ? throw new AskAgainException(Body)
            : [.. Json["data"]!["images"]!.AsArray().Select(image => image!.AsObject())];

    public IEnumerable<string> Digests => Images.Select(image => image["digest"]!.GetValue<string>());

    /// <summary>Everything but the time it took: what two answers must share to be the same answer.</summary>
    public string Timeless
    {
        get
        {
            var json = Json;
            Assert.True(json.Remove("op_time_us"), Body);
            return $"{(int)Status} {ContentType} {json.ToJsonString()}";
        }
    }
}

/// <summary>`GET /v1/images/list` as a client sends it.</summary>
public static class ImagesList
{
    public const string Route = "v1/images/list";
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public static Task<Answer> ListAsync(this RunningHost host, string token, string query = "", string? body = null) =>
        host.GetAsync(query.Length == 0 ? Route : $"{Route}?{query}", $"Bearer {token}", body);

    public static async Task<Answer> GetAsync(
        this RunningHost host,
        string path,
        string? authorization,
        string? body = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null)
        {
            // Not parsed by the client: some of what is sent is malformed on purpose.
            Assert.True(request.Headers.TryAddWithoutValidation("Authorization", authorization));
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        using var response = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return new Answer(
            response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
    }

    /// <summary>Waits until the namespace lists exactly these images, field by field and in this order.</summary>
    public static async Task ListsExactlyAsync(
        this RunningHost host,
        string token,
        string @namespace,
        params JsonObject[] expected
    )
    {
        var wanted = Canonical(new JsonArray([.. expected.Select(one => one.DeepClone())]));
        Answer? last = null;
        await Until.TrueAsync(
            async () =>
            {
                last = await host.ListAsync(token, $"namespace={@namespace}");
                return last.Status == HttpStatusCode.OK && Canonical(last.Json["data"]!["images"]!) == wanted;
            },
            async () =>
            {
                // Equal tells where the two differ; the status tells why.
                TestContext.Current.TestOutputHelper?.WriteLine(await host.ExplainAsync(@namespace.Split('/')[0]));
                Assert.Equal(HttpStatusCode.OK, last!.Status);
                Assert.Equal(wanted, Canonical(last.Json["data"]!["images"]!));
                return "It came right at last.";
            }
        );
    }

    /// <summary>Waits until the list shows an image of this digest, and returns it.</summary>
    public static Task<JsonObject> ListedAsync(
        this RunningHost host,
        string token,
        string @namespace,
        string digestReference
    ) =>
        Until.SomeAsync(
            async () =>
                (await host.ListAsync(token, $"namespace={@namespace}")).Images.FirstOrDefault(image =>
                    image["digest"]!.GetValue<string>() == digestReference
                ),
            async () => $"{digestReference} was not listed. {await host.ExplainAsync(@namespace.Split('/')[0])}"
        );

    /// <summary>The same JSON has the same text: members in ordinal order, indented so that a difference is easy to see.</summary>
    public static string Canonical(JsonNode json) => Sorted(json)!.ToJsonString(Readable);

    private static JsonNode? Sorted(JsonNode? json) =>
        json switch
        {
            JsonObject members => new JsonObject(
                members
                    .OrderBy(member => member.Key, StringComparer.Ordinal)
                    .Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))
            ),
            JsonArray items => new JsonArray([.. items.Select(Sorted)]),
            _ => json?.DeepClone(),
        };
}
