using System.Net;
using System.Text;
using CsCheck;
using ImagesFunctions.Accounts;
using ImagesFunctions.Registry;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Requests that nobody would send on purpose: never an error of the service, never another tenant's bytes.</summary>
[TakesLong(seconds: 25)]
public sealed class RegistryFuzz
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Secret = "what only bob may read";

    private static readonly Gen<string> Segment = Gen.OneOf(
        OneOf(
            "alice",
            "bob",
            "app",
            "blobs",
            "uploads",
            "manifests",
            "tags",
            "list",
            "referrers",
            "_catalog",
            "",
            ".",
            "..",
            "latest",
            Digest,
            "sha256:x",
            "%2F",
            "%252F",
            "%",
            "%zz",
            "%c3%28",
            "%e2%80%a8",
            "a%20b",
            "A",
            "\ud83d",
            new string('a', 300)
        ),
        Gen.String[0, 20].Select(s => Uri.EscapeDataString(s.Replace("\0", "", StringComparison.Ordinal))),
        Gen.Char.Array[1, 8].Select(c => new string(c))
    );

    private static readonly Gen<string> Query = Gen.OneOf(
        Gen.Const(""),
        OneOf(
            "?digest=",
            $"?digest={Digest}",
            "?digest=sha256:x",
            "?mount=" + Digest + "&from=bob/app",
            "?mount=" + Digest + "&from=alice/bob/app",
            "?mount=x",
            "?n=-1",
            "?n=5&last=%ff",
            "?tag=a&tag=b",
            "?tag=",
            "?artifactType=%00",
            "?last=%00",
            "?digest-algorithm=x"
        ),
        Gen.String[0, 20].Select(s => "?" + Uri.EscapeDataString(s))
    );

    private static readonly Gen<string> Target =
        from segments in Segment.Array[0, 7]
        from query in Query
        select $"/v2/{string.Join('/', segments)}{query}";

    private static readonly Gen<(string Name, string Value)> Header = Gen.Select(
        OneOf("Range", "Content-Range", "If-Range", "Content-Type", "Accept", "Content-Length"),
        Gen.OneOf(
            OneOf("bytes=0-", "bytes=-1", "0-0", "5-1", "bytes 0-1/*", "a/b", "", ";", ","),
            Gen.String[Gen.Char[' ', '~'], 0, 30]
        )
    );

    [Fact]
    public async Task No_request_is_answered_by_an_error_of_the_service_or_with_bytes_of_another_tenant()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var bob = new NodeRegistry(node, "bob", await NodeRegistry.TokenAsync(node, "bob"));
        await bob.PushAsync("bob/app", Layout.Small(Secret, "latest"), "latest");
        var blob = Encoding.UTF8.GetBytes(Secret);
        await bob.SendAsync("POST", $"/v2/bob/app/blobs/uploads/?digest={Layout.DigestOf(blob)}", blob);
        var alice = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await alice.PushAsync("alice/app", Layout.Small("mine", "latest"), "latest");
        await SampleAsync(alice);
    }

    /// <summary>What a token may not pull is as hidden from it as what is another's.</summary>
    [Fact]
    public async Task No_request_with_a_scoped_token_is_answered_with_bytes_outside_its_repositories()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var all = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await all.PushAsync("alice/bob", Layout.Small(Secret, "latest"), "latest");
        await all.PushAsync("alice/bob/app", Layout.Small(Secret, "latest"), "latest");
        var blob = Encoding.UTF8.GetBytes(Secret);
        await all.SendAsync("POST", $"/v2/alice/bob/app/blobs/uploads/?digest={Layout.DigestOf(blob)}", blob);
        await all.PushAsync("alice/app", Layout.Small("mine", "latest"), "latest");
        var (_, token) = await node
            .Services.GetRequiredService<Tokens>()
            .CreateAsync(
                "alice",
                null,
                Grant.Parse("pull,push,delete", ["app/**"]),
                TestContext.Current.CancellationToken
            );
        await SampleAsync(new NodeRegistry(node, "alice", token));
    }

    private static Task SampleAsync(NodeRegistry alice) =>
        Gen.Select(
                OneOf("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE"),
                Target,
                Gen.Byte.Array[0, 50],
                Header.Array[0, 3]
            )
            .SampleAsync(
                async (method, target, body, headers) =>
                {
                    var reply = await alice.SendAsync(method, target, body, headers: headers);

                    return (int)reply.Status < 500
                        && !reply.Text.Contains(Secret, StringComparison.Ordinal)
                        && reply["Docker-Distribution-API-Version"] == "registry/2.0"
                        && ((int)reply.Status < 400 || method == "HEAD" || reply.Code.Length > 0);
                },
                iter: 1_000,
                threads: 2
            );

    [Fact]
    public async Task No_body_of_a_manifest_is_answered_by_an_error_of_the_service()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var alice = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        var layout = Layout.Small("mine", "latest");
        await alice.PushAsync("alice/app", layout, "latest");
        var good = layout.Files[Layout.PathOf(layout.FirstImage)];

        await Gen.Select(
                Gen.Int[0, good.Length - 1],
                Gen.Byte,
                Gen.Int[0, 3],
                OneOf(Layout.OciManifest, Layout.OciIndex, "", "x/y")
            )
            .SampleAsync(
                async (at, value, how, type) =>
                {
                    // One byte changed, gone, doubled, or all behind it gone.
                    byte[] bytes = how switch
                    {
                        0 => [.. good[..at], value, .. good[(at + 1)..]],
                        1 => [.. good[..at], .. good[(at + 1)..]],
                        2 => [.. good[..at], good[at], .. good[at..]],
                        _ => good[..at],
                    };

                    var reply = await alice.SendAsync("PUT", "/v2/alice/app/manifests/fuzzed", bytes, type);

                    return reply.Status
                        is HttpStatusCode.Created
                            or HttpStatusCode.BadRequest
                            or HttpStatusCode.NotFound;
                },
                iter: 500,
                threads: 2
            );
        await Invariants.SettledAsync(node, "alice");
    }

    [Fact]
    public void Ranges_are_within_the_blob_or_nothing()
    {
        Gen.Select(
                Gen.OneOf(Gen.String, Gen.Select(Gen.Long, Gen.Long, (a, b) => $"bytes={a}-{b}")),
                Gen.Long[0, 1L << 40]
            )
            .Sample(
                (header, size) =>
                    !ByteRange.TryParse(header, size, out var range)
                    || range is null
                    || (0 <= range.First && range.First <= range.Last && range.Last < size)
            );
        Gen.Select(Gen.OneOf(Gen.String, Gen.Select(Gen.Long, Gen.Long, (a, b) => $"{a}-{b}")), Gen.Int)
            .Sample(
                (header, _) =>
                    !ByteRange.TryParseChunk(header, out var range)
                    || (0 <= range.First && range.First <= range.Last && range.Length > 0)
            );
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);
}
