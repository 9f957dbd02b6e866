using ImagesFunctions.Local;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Local;

/// <summary>A clone has the same bytes on every machine: Git for Windows is set up to turn text into CRLF (<c>core.autocrlf</c>).</summary>
public sealed class LineEndingsTests
{
    [Fact]
    public async Task A_checkout_by_Git_for_Windows_has_the_bytes_that_are_tracked()
    {
        SkipOutsideOfGit();
        using var folder = new TemporaryFolder();
        var (plain, windows) = (folder.File("plain"), folder.File("windows"));

        await CheckOutAsync(plain, "core.autocrlf=false", "core.eol=lf");
        await CheckOutAsync(windows, "core.autocrlf=true", "core.eol=crlf");

        var files = Files(plain);
        Assert.NotEmpty(files);
        Assert.Equal(files, Files(windows));
        Assert.DoesNotContain(
            files,
            file =>
                !File.ReadAllBytes(Path.Combine(plain, file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(windows, file)))
        );
    }

    [Fact]
    public async Task No_tracked_file_would_change_when_it_is_added_again()
    {
        SkipOutsideOfGit();

        // "i/lf w/lf attr/text=auto eol=lf<tab>path": in the index, in the work tree, by the attributes. What is no text, or has to
        // keep the bytes that it has, says so.
        var lines = await Tool.LinesAsync("git", "-C", Places.Root, "ls-files", "--eol");

        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches("attr/-text |^i/(lf|none) .*eol=lf", line));
    }

    // A release's archive is no repository, and git would find the one around it.
    private static void SkipOutsideOfGit() =>
        Assert.SkipUnless(Path.Exists(Path.Combine(Places.Root, ".git")), "This is not a clone");

    private static Task<string> CheckOutAsync(string folder, params string[] settings) =>
        Tool.RunAsync(
            "git",
            [
                "-C",
                Places.Root,
                .. settings.SelectMany(setting => new[] { "-c", setting }),
                "checkout-index",
                "--all",
                $"--prefix={folder}/",
            ]
        );

    private static string[] Files(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder, file))
                .Order(StringComparer.Ordinal),
        ];
}
