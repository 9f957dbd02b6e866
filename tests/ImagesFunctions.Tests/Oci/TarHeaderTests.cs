using System.Formats.Tar;
using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class TarHeaderTests
{
    [Theory]
    [InlineData("index.json", 0)]
    [InlineData("index.json", 1)]
    [InlineData("blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 8_589_934_591)]
    [InlineData("blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 8_589_934_592)]
    [InlineData("blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1_099_511_627_776)]
    public void A_file_is_read_back_with_its_name_size_owner_and_mode(string path, long size)
    {
        using var tar = new TarReader(new MemoryStream([.. TarHeader.OfFile(path, size), .. TarHeader.End]));

        // The content is not there: only the header is looked at.
        var entry = size == 0 ? tar.GetNextEntry()! : new LongEntry(TarHeader.OfFile(path, size)).Entry;

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

    /// <summary>The entry of a header whose content is zeros that nobody keeps.</summary>
    private sealed class LongEntry(byte[] header)
    {
        public TarEntry Entry { get; } = new TarReader(new ThenZeros(header)).GetNextEntry()!;
    }

    private sealed class ThenZeros(byte[] first) : Stream
    {
        private long _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _at;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            for (var i = 0; i < count; i++)
            {
                buffer[offset + i] = _at < first.Length ? first[_at] : (byte)0;
                _at++;
            }

            return count;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
