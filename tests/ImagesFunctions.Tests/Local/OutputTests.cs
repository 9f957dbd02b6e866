using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary>The parts of the commands' grammar that need no store.</summary>
public sealed class OutputTests
{
    private static readonly Listing<Item> s_listing = new(
        [
            new("name", i => i.Name),
            new("tag", i => i.Tags),
            new("size", i => i.Size) { Text = i => Values.Size(i.Size), IsNumber = true },
            new("at", i => i.At),
            new("pinned", i => i.IsPinned),
        ],
        i => i.Name
    );

    private static readonly Item[] s_items =
    [
        new("web", ["v1", "v2"], 3 * 1024 * 1024, new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero), true),
        new("api", [], 900, new DateTimeOffset(2026, 2, 1, 8, 0, 0, TimeSpan.Zero), false),
        new("db", ["latest"], 2048, null, false),
    ];

    [Theory]
    [InlineData("sttaus", "status")]
    [InlineData("statsu", "status")]
    [InlineData("l", "ls")]
    [InlineData("rmm", "rm")]
    [InlineData("tokne", "token")]
    [InlineData("bogus", null)]
    [InlineData("x", null)]
    public void A_word_that_is_nearly_right_is_suggested(string typed, string? meant) =>
        Assert.Equal(meant, Suggestions.For(typed, ["serve", "status", "ls", "rm", "token", "show"]));

    [Theory]
    [InlineData("/home/me/.dotnet/tools/images", "/home/me/.dotnet/tools/.store/x/", null, "images")]
    [InlineData("/usr/bin/dotnet", "/src/functions/Local/bin/", "/src", "dotnet run --project functions/Local --")]
    [InlineData("/usr/bin/dotnet", "/packages/imagesfunctions.tool/1.0.0/tools/net10.0/any/", null, "dotnet images")]
    [InlineData("/usr/bin/dotnet", "/opt/images/", null, "dotnet /opt/images/ImagesFunctions.Local.dll")]
    public void The_command_is_named_as_it_was_typed(string process, string program, string? clone, string typed)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The paths are of another system");
        Assert.Equal(typed, TypedCommand.Of(process, program, "/src", clone));
    }

    [Theory]
    [InlineData("./a/b", "./a/b")]
    [InlineData("my folder", "'my folder'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("$HOME", "'$HOME'")]
    public void An_argument_is_quoted_where_a_shell_would_change_it(string argument, string quoted) =>
        Assert.Equal(quoted, TypedCommand.Quoted(argument));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(3L * 1024 * 1024 * 1024, "3.0 GiB")]
    public void A_size_has_a_binary_unit(long bytes, string text) => Assert.Equal(text, Values.Size(bytes));

    [Theory]
    [InlineData("--filter tag=v*", "web")]
    [InlineData("--filter tag=", "api")]
    [InlineData("--filter tag!= --filter name!=web", "db")]
    [InlineData("--filter size>1MiB", "web")]
    [InlineData("--filter size<1KiB", "api")]
    [InlineData("--filter size>2047", "web db")]
    [InlineData("--filter at>2026-02-15", "web")]
    [InlineData("--filter pinned=yes", "web")]
    [InlineData("--sort size", "api db web")]
    [InlineData("--sort -name", "web db api")]
    [InlineData("--sort tag", "api db web")]
    public async Task A_list_is_filtered_and_sorted_by_its_columns(string line, string names) =>
        Assert.Equal(
            names,
            (await ListAsync($"{line} -o quiet")).TrimEnd().Replace("\n", " ", StringComparison.Ordinal)
        );

    [Fact]
    public async Task A_table_has_headings_and_no_blanks_at_its_end() =>
        Assert.Equal(
            """
            NAME  TAG        SIZE  AT                PINNED
            web   v1, v2  3.0 MiB  2026-03-01 08:00  yes
            api             900 B  2026-02-01 08:00
            db    latest  2.0 KiB

            """,
            await ListAsync("")
        );

    [Fact]
    public async Task The_same_list_is_json_and_yaml()
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(await ListAsync("-o json"))!.AsArray();

        Assert.Equal(3, json.Count);
        Assert.Equal(
            """{"name":"web","tag":["v1","v2"],"size":3145728,"at":"2026-03-01T08:00:00Z","pinned":true}""",
            json[0]!.ToJsonString()
        );
        Assert.Null(json[2]!["at"]);
        var yaml = await ListAsync("-o yaml --filter name=api");
        Assert.Equal(
            """
            - name: api
              tag: []
              size: 900
              at: 2026-02-01T08:00:00Z
              pinned: false

            """,
            yaml
        );
    }

    [Theory]
    [InlineData("--sort nothing")]
    [InlineData("--filter nothing=x")]
    [InlineData("--filter name")]
    [InlineData("-o xml")]
    public void A_column_or_form_that_there_is_not_is_refused(string line) =>
        Assert.NotEmpty(Command().Parse(line.Split(' ')).Errors);

    [Fact]
    public void What_moves_a_cursor_is_shown_and_not_done() =>
        Assert.Equal("a\\x1b[2Jb", Screen.Visible("a\u001b[2Jb"));

    private static System.CommandLine.Command Command()
    {
        var command = new System.CommandLine.Command("list");
        s_listing.AddTo(command);
        return command;
    }

    private static async Task<string> ListAsync(string line)
    {
        var parsed = Command().Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(parsed.Errors);
        var output = new StringWriter { NewLine = "\n" };
        await s_listing.WriteAsync(parsed, s_items, output);
        return output.ToString();
    }

    private sealed record Item(string Name, IReadOnlyList<string> Tags, long Size, DateTimeOffset? At, bool IsPinned);
}
