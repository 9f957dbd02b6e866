using CsCheck;
using ImagesFunctions.Registry;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Paths of the distribution spec, taken apart from their end.</summary>
public sealed class RegistryPathTests
{
    [Theory]
    [InlineData("/v2", "Base", "", "")]
    [InlineData("/v2/", "Base", "", "")]
    [InlineData("/v2/?n=1", "Base", "", "")]
    [InlineData("/v2/_catalog?n=5&last=a/b", "Catalog", "", "")]
    [InlineData("/v2/a/b/blobs/sha256:x", "Blob", "a/b", "sha256:x")]
    [InlineData("/v2/a/b/blobs/sha256%3Ax", "Blob", "a/b", "sha256:x")]
    [InlineData("/v2/a%2Fb/blobs/sha256:x", "Blob", "a/b", "sha256:x")]
    [InlineData("/v2/a/b/blobs/uploads/", "Uploads", "a/b", "")]
    [InlineData("/v2/a/b/blobs/uploads", "Uploads", "a/b", "")]
    [InlineData("/v2/a/b/blobs/uploads/?mount=x", "Uploads", "a/b", "")]
    [InlineData("/v2/a/b/blobs/uploads/123", "Upload", "a/b", "123")]
    [InlineData("/v2/a/b/manifests/latest", "Manifest", "a/b", "latest")]
    [InlineData("/v2/a/b/manifests/", "Manifest", "a/b", "")]
    [InlineData("/v2/a/b/tags/list", "Tags", "a/b", "")]
    [InlineData("/v2/a/b/referrers/sha256:x", "Referrers", "a/b", "sha256:x")]
    // All of these words are legal in a name.
    [InlineData("/v2/a/blobs/uploads/manifests/latest", "Manifest", "a/blobs/uploads", "latest")]
    [InlineData("/v2/a/manifests/tags/list", "Tags", "a/manifests", "")]
    [InlineData("/v2/a/tags/list/blobs/x", "Blob", "a/tags/list", "x")]
    [InlineData("/v2/blobs/uploads/blobs/uploads/1", "Upload", "blobs/uploads", "1")]
    // An escaped escape is decoded once.
    [InlineData("/v2/a/b/manifests/%252F", "Manifest", "a/b", "%2F")]
    public void A_path_names_a_resource_of_a_repository(string target, string resource, string name, string last)
    {
        var path = RegistryPath.Parse(target)!;
        Assert.Equal((resource, name, last), ($"{path.Resource}", path.Name, path.Last));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("/v1/")]
    [InlineData("/v22/")]
    [InlineData("/v2/a")]
    [InlineData("/v2/a/b")]
    [InlineData("/v2/blobs/x")]
    [InlineData("/v2/manifests/latest")]
    [InlineData("/v2/tags/list")]
    [InlineData("/v2/a/tags/lists")]
    [InlineData("/v2/a/tags/list/")]
    [InlineData("/v2/_catalog/")]
    [InlineData("/v2/a/blobs/uploads/1/2")]
    public void Another_path_names_nothing(string target) => Assert.Null(RegistryPath.Parse(target));

    [Fact]
    public void Whatever_the_target_is_it_is_read_and_its_route_has_no_name_of_it() =>
        Gen.Char["v2/abloumnifestgr%25F?#."]
            .Array[0, 30]
            .Sample(
                letters =>
                {
                    var path = RegistryPath.Parse("/v2/" + new string(letters));
                    Assert.True(path is null || path.Route.StartsWith("/v2/", StringComparison.Ordinal));
                },
                iter: 5_000,
                threads: 1
            );
}
