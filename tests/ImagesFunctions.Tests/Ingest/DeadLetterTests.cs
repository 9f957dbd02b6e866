using System.Text;
using ImagesFunctions.Ingest;

namespace ImagesFunctions.Tests.Ingest;

/// <summary>What is read of the files that Event Grid leaves.</summary>
public sealed class DeadLetterTests
{
    [Fact]
    public void Each_path_is_told_once() =>
        Assert.Equal(
            ["alice/web/index.json", "alice/web/blobs/sha256/ä b"],
            PathsOf(
                """
                [
                  {"subject":"/blobServices/default/containers/images/blobs/alice/web/index.json","deliveryAttempts":1},
                  {"subject":"/blobServices/default/containers/images/blobs/alice/web/blobs/sha256/ä b"},
                  {"subject":"/blobServices/default/containers/images/blobs/alice/web/index.json"}
                ]
                """
            )
        );

    [Theory]
    [InlineData("")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""["text"]""")]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("""[{"subject":7}]""")]
    [InlineData("""[{"subject":"\ud800"}]""")]
    [InlineData("""[{"subject":"/blobServices/default/containers/images/blobs/"}]""")]
    [InlineData("""[{"subject":"/blobServices/default/containers/uploads/blobs/alice/web/index.json"}]""")]
    [InlineData(
        """[{"subject":"/blobServices/default/containers/images/blobs/alice/web/index.json"},{"subject":"elsewhere"}]"""
    )]
    public void What_is_no_file_of_events_of_images_is_not_read(string file) => Assert.Null(PathsOf(file));

    [Fact]
    public void Bytes_that_are_no_text_are_not_read() => Assert.Null(DeadLetter.PathsOf(new byte[] { 0xff, 0xfe, 0 }));

    private static IReadOnlyCollection<string>? PathsOf(string file) =>
        DeadLetter.PathsOf(Encoding.UTF8.GetBytes(file));
}
