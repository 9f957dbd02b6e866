using CsCheck;
using ImagesFunctions.Registry;

namespace ImagesFunctions.Tests.Registry;

public sealed class ByteRangeTests
{
    [Theory]
    // RFC 9110, 14.1.2 and 14.2, of a blob of 1,000 bytes: the range; "all" where the header counts for nothing; "none": 416.
    [InlineData(null, "all")]
    [InlineData("", "all")]
    [InlineData("bytes=0-0", "0-0")]
    [InlineData("bytes=0-499", "0-499")]
    [InlineData("Bytes = 500 - 999", "500-999")]
    [InlineData("bytes=500-", "500-999")]
    [InlineData("bytes=0-99999999999999999999999", "0-999")]
    [InlineData("bytes=999-", "999-999")]
    [InlineData("bytes=1000-", "none")]
    [InlineData("bytes=99999999999999999999999-", "none")]
    [InlineData("bytes=5-4", "none")]
    [InlineData("bytes=-1", "999-999")]
    [InlineData("bytes=-5000", "0-999")]
    [InlineData("bytes=-99999999999999999999999", "0-999")]
    [InlineData("bytes=-0", "none")]
    [InlineData("bytes=-", "all")]
    [InlineData("bytes=", "all")]
    [InlineData("bytes=a-b", "all")]
    [InlineData("bytes=1-b", "all")]
    [InlineData("bytes=+1-2", "all")]
    [InlineData("bytes=0-1,3-4", "all")]
    [InlineData("items=0-1", "all")]
    [InlineData("0-1", "all")]
    public void A_range_is_what_the_RFC_says(string? header, string expected)
    {
        var isSatisfiable = ByteRange.TryParse(header, 1_000, out var range);
        Assert.Equal(expected, isSatisfiable ? Text(range) ?? "all" : "none");
    }

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-1")]
    [InlineData("bytes=5-6")]
    public void Of_a_blob_without_bytes_no_range_is_asked_for(string header)
    {
        Assert.True(ByteRange.TryParse(header, 0, out var range));
        Assert.Null(range);
    }

    [Fact]
    public void A_range_is_never_outside_the_blob() =>
        Gen.Select(Gen.Char["0123456789-,= "].Array[0, 12], Gen.Long[1, 2_000])
            .Sample(
                (letters, size) =>
                {
                    if (ByteRange.TryParse("bytes=" + new string(letters), size, out var range) && range is not null)
                    {
                        Assert.InRange(range.First, 0, range.Last);
                        Assert.InRange(range.Last, range.First, size - 1);
                    }
                },
                iter: 5_000,
                threads: 1
            );

    [Theory]
    [InlineData("0-0", "0-0")]
    [InlineData("10-19", "10-19")]
    [InlineData("bytes 10-19/100", "10-19")]
    [InlineData("bytes 10-19/*", "10-19")]
    [InlineData("bytes=10-19", "10-19")]
    [InlineData("", null)]
    [InlineData("10", null)]
    [InlineData("10-", null)]
    [InlineData("-10", null)]
    [InlineData("10-9", null)]
    [InlineData("a-b", null)]
    [InlineData("bytes */100", null)]
    [InlineData("0-9223372036854775807", null)]
    [InlineData("0-99999999999999999999999", null)]
    public void A_chunk_says_where_it_is(string header, string? expected) =>
        Assert.Equal(expected, ByteRange.TryParseChunk(header, out var range) ? Text(range) : null);

    private static string? Text(ByteRange? range) => range is null ? null : $"{range.First}-{range.Last}";
}
