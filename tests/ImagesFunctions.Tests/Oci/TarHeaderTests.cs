using System.Formats.Tar;
using System.Text;
using ImagesFunctions.Oci;
using ImagesFunctions.Streams;

namespace ImagesFunctions.Tests.Oci;

public sealed class TarHeaderTests
{
    [Theory]
    [InlineData("index.json", 0)]
    [InlineData("index.json", 1)]
    [InlineData("blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 8_589_934_591)]
    [InlineData("blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 8_589_934_592)]
    [InlineData("blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1_099_511_627_776)]
    public async Task A_file_is_read_back_with_its_name_size_owner_and_mode(string path, long size)
    {
        await using var tar = new TarReader(new ThenZeros(TarHeader.OfFile(path, size)));

        // The content is not there: only the header is looked at.
        var entry = (
            await tar.GetNextEntryAsync(copyData: false, cancellationToken: TestContext.Current.CancellationToken)
        )!;

        Assert.Equal((path, size), (entry.Name, entry.Length));
        Assert.Equal((0, 0), (entry.Uid, entry.Gid));
        Assert.Equal(DateTimeOffset.UnixEpoch, entry.ModificationTime);
        Assert.Equal("-rw-r--r--", $"-{ModeOf(entry.Mode)}");
    }

    [Fact]
    public void A_name_of_sha512_does_not_fit_into_ustar_and_is_read_back()
    {
        var path = $"blobs/sha512/{new string('b', 128)}";
        byte[] content = [.. "text"u8];
        byte[] bytes =
        [
            .. TarHeader.OfFolder("./"),
            .. TarHeader.OfFile(path, content.Length),
            .. content,
            .. new byte[TarHeader.PaddingOf(content.Length)],
            .. TarHeader.End,
        ];

        using var tar = new TarReader(new MemoryStream(bytes));
        var (folder, file) = (tar.GetNextEntry()!, tar.GetNextEntry(copyData: true)!);

        Assert.Equal((TarEntryType.Directory, "./"), (folder.EntryType, folder.Name));
        Assert.Equal(path, file.Name);
        using var read = new StreamReader(file.DataStream!, Encoding.ASCII);
        Assert.Equal("text", read.ReadToEnd());
        Assert.Null(tar.GetNextEntry());
        Assert.Equal(0, bytes.Length % TarHeader.Block);
    }

    private static string ModeOf(UnixFileMode mode) =>
        string.Concat(Enumerable.Range(0, 9).Select(i => ((int)mode & (1 << (8 - i))) != 0 ? "rwxrwxrwx"[i] : '-'));

    // A header, and as many zeros behind it as anybody reads.
    private sealed class ThenZeros(byte[] first) : ForwardStream
    {
        private int _at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var copied = Math.Min(buffer.Length, first.Length - _at);
            first.AsSpan(_at, copied).CopyTo(buffer.Span);
            buffer.Span[copied..].Clear();
            _at += copied;
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
