using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Rows;

public sealed class BlobRowTests
{
    [Theory]
    [InlineData(1_024, true)]
    [InlineData(1_025, false)]
    public void A_path_that_is_too_long_for_the_row_is_not_kept_and_the_rest_is(int length, bool kept)
    {
        var path = new string('x', length);
        var row = SomeRows.Blob("layer") with { Tar = new TarFacts(path, "console=ttyS0") };
        Assert.Equal(new TarFacts(kept ? path : null, "console=ttyS0"), BlobRow.From(row.ToRow()).Tar);
    }
}
