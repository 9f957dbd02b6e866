using ImagesFunctions.Blobs;

namespace ImagesFunctions.Tests.Blobs;

public sealed class FolderStubTests
{
    [Theory]
    [InlineData(0L, "hdi_isfolder", "true", true)]
    [InlineData(0L, "Hdi_IsFolder", "True", true)]
    [InlineData(1L, "hdi_isfolder", "true", false)]
    [InlineData(0L, "hdi_isfolder", "false", false)]
    [InlineData(0L, "folder", "true", false)]
    [InlineData(null, "hdi_isfolder", "true", false)]
    public void A_folder_is_an_empty_blob_that_says_so(long? size, string name, string value, bool isOne) =>
        Assert.Equal(isOne, FolderStub.IsOne(size, new Dictionary<string, string> { [name] = value }));

    [Fact]
    public void An_empty_blob_is_none()
    {
        Assert.False(FolderStub.IsOne(0, null));
        Assert.False(FolderStub.IsOne(0, new Dictionary<string, string>()));
    }
}
