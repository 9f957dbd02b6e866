using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class LayoutPathTests
{
    private static readonly string Hex = new('c', 64);
    private static readonly string Hex512 = new('d', 128);

    public static TheoryData<string, string, string?, bool> Paths =>
        new()
        {
            { $"alice/app/blobs/sha256/{Hex}", "alice/app", $"sha256:{Hex}", false },
            { $"alice/app/blobs/sha512/{Hex512}", "alice/app", $"sha512:{Hex512}", false },
            { $"alice/team/web/blobs/sha256/{Hex}", "alice/team/web", $"sha256:{Hex}", false },
            { $"alice/blobs/app/blobs/sha256/{Hex}", "alice/blobs/app", $"sha256:{Hex}", false },
            { $"alice/blobs/blobs/sha256/{Hex}", "alice/blobs", $"sha256:{Hex}", false },
            { $"blobs/sha256/blobs/sha256/{Hex}", "blobs/sha256", $"sha256:{Hex}", false },
            { $"official/app/blobs/sha256/{Hex}", "official/app", $"sha256:{Hex}", false },
            { "alice/app/index.json", "alice/app", null, true },
            { "alice/index.json/index.json", "alice/index.json", null, true },
            { "alice/app/oci-layout", "alice/app", null, false },
            { "alice/oci-layout/index.json", "alice/oci-layout", null, true },
            { $"alice/blobs/sha256/{Hex}/index.json", $"alice/blobs/sha256/{Hex}", null, true },
        };

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_path_is_read_from_its_end(string path, string repository, string? digest, bool isIndex)
    {
        Assert.True(LayoutPath.TryParse(path, out var read, out var refusal));
        Assert.Null(refusal);
        Assert.Equal(repository, read.Repository.ToString());
        Assert.Equal(digest, (read as BlobPath)?.Digest.ToString());
        Assert.Equal(isIndex, read is IndexPath);
        Assert.Equal(digest is null && !isIndex, read is MarkerPath);
        Assert.Equal(read.Repository.Namespace, LayoutPath.NamespaceOf(path));
        Assert.Equal(path, read.ToString());
    }

    public static TheoryData<string, string> Refused =>
        new()
        {
            { "", "not a file of an OCI image layout" },
            { "/", "not a file of an OCI image layout" },
            { "alice", "not a file of an OCI image layout" },
            { "alice/app/readme.txt", "not a file of an OCI image layout" },
            { $"alice/app/blobs/sha256/{Hex}/more", "not a file of an OCI image layout" },
            { $"alice/app/Blobs/sha256/{Hex}", "not a file of an OCI image layout" },
            { "alice/app/Index.json", "not a file of an OCI image layout" },
            { "index.json", "'' is not a repository name" },
            { "alice/index.json", "'alice' is not a repository name" },
            { $"blobs/sha256/{Hex}", "'' is not a repository name" },
            { $"alice/blobs/sha256/{Hex}", "'alice' is not a repository name" },
            { $"alice//app/blobs/sha256/{Hex}", "is not a repository name" },
            { $"/alice/app/blobs/sha256/{Hex}", "is not a repository name" },
            { $"Alice/app/blobs/sha256/{Hex}", "'Alice/app' is not a repository name" },
            { $"official/team/web/blobs/sha256/{Hex}", "official/<app> has exactly two parts" },
            { $"alice/app/blobs/sha256/{Hex[1..]}", "is not a digest" },
            { $"alice/app/blobs/sha256/{Hex.ToUpperInvariant()}", "is not a digest" },
            { "alice/app/blobs/sha256/", "is not a digest" },
            { $"alice/app/blobs//{Hex}", "is not a digest" },
            { $"alice/app/blobs/sha512/{Hex}", "is not a digest" },
            { "alice/app/blobs/md5/d41d8cd98f00b204e9800998ecf8427e", "md5 is not supported: use sha256 or sha512" },
            { $"alice/{new string('b', 250)}/index.json", "longer than 255 characters" },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Any_other_path_is_refused_with_its_reason(string path, string reason)
    {
        Assert.False(LayoutPath.TryParse(path, out var read, out var refusal));
        Assert.Null(read);
        Assert.Contains(reason, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice/x", "alice")]
    [InlineData("official/a/b/index.json", "official")]
    [InlineData("alice", null)]
    [InlineData("", null)]
    [InlineData("/alice/x", null)]
    [InlineData("Alice/x", null)]
    [InlineData("!refused/x", null)]
    public void The_namespace_of_a_path_is_its_first_part_if_that_is_one(string path, string? @namespace) =>
        Assert.Equal(@namespace, LayoutPath.NamespaceOf(path));

    [Fact]
    public void A_path_that_was_made_is_read_back_and_a_random_one_never_throws() =>
        Gen.OneOf("blobs", "sha256", "index.json", "a", "", "A", Hex, Hex512, "sha512")
            .Array[0, 8]
            .Sample(
                parts =>
                {
                    var path = string.Join('/', parts);
                    if (!LayoutPath.TryParse(path, out var read, out var refusal))
                    {
                        Assert.NotEmpty(refusal);
                    }
                    else
                    {
                        Assert.Equal(path, read.ToString());
                    }
                },
                iter: 10_000,
                threads: 1
            );
}
