namespace ImagesFunctions.Tests.Rows;

public sealed class RefusedRowTests
{
    [Theory]
    [InlineData("alice/app/index.json", "alice")]
    [InlineData("alice/x", "alice")]
    [InlineData("official/x", "official")]
    [InlineData("Alice/x", "!refused")]
    [InlineData("alice", "!refused")]
    [InlineData("/alice/x", "!refused")]
    [InlineData("", "!refused")]
    public void A_refusal_stands_in_the_namespace_of_its_path_or_in_none(string path, string partition) =>
        Assert.Equal(partition, RefusedRow.PartitionOf(path));
}
