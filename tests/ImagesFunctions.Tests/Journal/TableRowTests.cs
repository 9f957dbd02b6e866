namespace ImagesFunctions.Tests.Journal;

public sealed class TableRowTests
{
    private readonly TableRow _row = new("key")
    {
        ["text"] = "t",
        ["number"] = 7L,
        ["flag"] = true,
        ["time"] = DateTimeOffset.UnixEpoch,
    };

    [Fact]
    public void A_value_reads_as_what_it_is()
    {
        Assert.Equal("t", _row.Text("text"));
        Assert.Equal("t", _row.GetString("text"));
        Assert.Equal(7, _row.GetInt64("number"));
        Assert.True(_row.GetBoolean("flag"));
        Assert.Equal(DateTimeOffset.UnixEpoch, _row.GetDateTimeOffset("time"));
    }

    [Fact]
    public void A_value_that_is_not_there_reads_as_null_and_is_an_error_where_every_row_has_it()
    {
        Assert.Null(_row["other"]);
        Assert.Null(_row.GetString("other"));
        Assert.Null(_row.GetInt64("other"));
        Assert.Null(_row.GetBoolean("other"));
        Assert.Null(_row.GetDateTimeOffset("other"));
        var error = Assert.Throws<InvalidOperationException>(() => _row.Text("other"));
        Assert.Equal("row key has no other", error.Message);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("number")]
    [InlineData("flag")]
    [InlineData("time")]
    public void A_value_of_another_type_is_an_error_that_names_it(string name)
    {
        var readers = new (string Of, Action Read)[]
        {
            ("text", () => _row.GetString(name)),
            ("text", () => _row.Text(name)),
            ("number", () => _row.GetInt64(name)),
            ("flag", () => _row.GetBoolean(name)),
            ("time", () => _row.GetDateTimeOffset(name)),
        };
        foreach (var (of, read) in readers.Where(r => r.Of != name))
        {
            var error = Assert.Throws<InvalidOperationException>(read);
            Assert.StartsWith($"the value {name} of row key is a ", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_row_to_write_has_neither_version_nor_time() =>
        Assert.Equal((default(VersionTag), null), (_row.Version, _row.Timestamp));
}
