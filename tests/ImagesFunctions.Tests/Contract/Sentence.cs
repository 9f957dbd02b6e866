using System.Net;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>A request to a list. Names in braces stand for those of a <see cref="World"/>.</summary>
internal sealed record Ask(string Query, string? Body = null, params (string Name, string Value)[] Headers);

/// <summary>Requests, and what the answer to each of them must be.</summary>
internal sealed record Sentence(Action<World, Reply> Holds, params Ask[] Asks)
{
    public const string V1 = "/v1/images/list";
    private static readonly string[] s_routes = [V1, "/v1/images", "/v1/image-store"];

    /// <summary>The lists of the platform shape.</summary>
    public static readonly string[] Later = s_routes[1..];

    /// <summary>The images of one app.</summary>
    public static readonly string[] Web = ["{alice}/web@{one}", "{alice}/web@{two}"];

    /// <summary>All of the account's images that lists show.</summary>
    public static readonly string[] Own =
    [
        "{alice}/long@{long}",
        "{alice}/multi@{multi}",
        "{alice}/multi@{arm64}",
        .. Web,
        "{alice}/web/child@{three}",
        "{alice}/web2@{four}",
    ];

    /// <summary>The routes that it speaks of.</summary>
    public string[] Of { get; init; } = s_routes;

    /// <summary>Whether the other account asks.</summary>
    public bool AsBob { get; init; }

    /// <summary>The answer has exactly these images, in the order of lists: by repository, then by digest.</summary>
    public static Action<World, Reply> Lists(params string[] expected) =>
        (world, reply) =>
        {
            AssertSuccess(reply.Answer);
            Assert.Equal(
                expected
                    .Select(world.Named)
                    .OrderBy(n => n.Split('@')[0], StringComparer.Ordinal)
                    .ThenBy(n => n, StringComparer.Ordinal),
                Names(reply)
            );
        };

    /// <summary>The answer is 400 with a message that matches the reason.</summary>
    public static Action<World, Reply> Refuses(string reason, int? number = null) =>
        (_, reply) =>
        {
            AssertError(HttpStatusCode.BadRequest, reply.Answer, number);
            Assert.Matches(reason, reply.Json["message"]!.GetValue<string>());
        };

    /// <summary>The images of an answer as the first generation writes them.</summary>
    public static List<string> Names(Reply reply) =>
        [
            .. reply.Images.Select(i =>
                i["url"] is not { } url
                    ? i["digest"]!.GetValue<string>()
                    : url.GetValue<string>().Split('/', 2)[1].Replace("official/", "", StringComparison.Ordinal)
            ),
        ];
}
