using System.Formats.Tar;
using System.Text;
using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class TarPeekTests
{
    private const string Initrd = TarFacts.Initrd;
    private const string CommandLine = TarFacts.CommandLinePath;

    public static TheoryData<TarEntryFormat> Formats => [TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu];

    [Theory]
    [MemberData(nameof(Formats))]
    public void The_only_file_and_the_command_line_are_seen_in_every_format(TarEntryFormat format)
    {
        Assert.Equal(new TarFacts(Initrd, null), Peek(Tar(format, (Initrd, Random(3_000)))));
        Assert.Equal(new TarFacts(CommandLine, "-c /etc/x"), Peek(Tar(format, (CommandLine, Utf8("-c /etc/x\n")))));
        Assert.Equal(
            new TarFacts(null, "née"),
            Peek(Tar(format, ("a", Random(10)), (CommandLine, Utf8("née\r\n")), (Initrd, Random(700))))
        );
        Assert.Equal(new TarFacts(null, null), Peek(Tar(format)));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Directories_and_links_are_no_files(TarEntryFormat format)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, format, leaveOpen: true))
        {
            tar.WriteEntry(Entry(format, TarEntryType.Directory, "unikraft/"));
            tar.WriteEntry(Entry(format, TarEntryType.Directory, "unikraft/bin/"));
            var file = Entry(format, TarEntryType.RegularFile, Initrd);
            file.DataStream = new MemoryStream(Random(100));
            tar.WriteEntry(file);
            var link = Entry(format, TarEntryType.SymbolicLink, "unikraft/bin/other");
            link.LinkName = "initrd";
            tar.WriteEntry(link);
        }

        Assert.Equal(new TarFacts(Initrd, null), Peek(stream.ToArray()));
    }

    [Theory]
    [InlineData("./unikraft/bin/initrd")]
    [InlineData("/unikraft/bin/initrd")]
    [InlineData(".//unikraft/bin/initrd")]
    public void A_path_may_begin_at_the_root(string name) =>
        Assert.Equal(Initrd, Peek(Tar(TarEntryFormat.Ustar, (name, Random(1))))?.OnlyFile);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_size_around_a_block_leads_to_the_next_header(TarEntryFormat format)
    {
        foreach (var size in (int[])[0, 1, 511, 512, 513, 1023, 1024, 1025])
        {
            var tar = Tar(format, ("a", Random(size)), (CommandLine, Utf8("x")));
            Assert.Equal(new TarFacts(null, "x"), Peek(tar));
            Assert.Equal(
                new TarFacts(CommandLine, new string('k', size)),
                Peek(Tar(format, (CommandLine, Utf8(new string('k', size)))))
            );
        }
    }

    [Fact]
    public void A_command_line_beyond_16_KiB_is_not_kept()
    {
        Assert.Equal(
            16_384,
            Peek(Tar(TarEntryFormat.Ustar, (CommandLine, Utf8(new string('k', 16_384)))))?.CommandLine?.Length
        );
        Assert.Null(Peek(Tar(TarEntryFormat.Ustar, (CommandLine, Utf8(new string('k', 16_385)))))?.CommandLine);
    }

    [Fact]
    public void A_command_line_that_is_cut_off_is_none()
    {
        var tar = Tar(TarEntryFormat.Ustar, (CommandLine, Utf8(new string('k', 600))));
        Assert.Equal(new TarFacts(CommandLine, null), Peek(tar.AsSpan(0, 512 + 599)));
        Assert.NotNull(Peek(tar.AsSpan(0, 512 + 600))?.CommandLine);
    }

    [Fact]
    public void A_long_name_stands_in_two_fields_of_ustar()
    {
        var name = $"{new string('d', 120)}/{new string('f', 90)}";
        Assert.Equal(name, Peek(Tar(TarEntryFormat.Ustar, (name, Random(5))))?.OnlyFile);
    }

    [Theory]
    [InlineData(8L * 1024 * 1024 * 1024)]
    [InlineData(1L << 40)]
    [InlineData(300)]
    public void A_size_in_base_256_is_skipped_like_any_other(long size)
    {
        var first = Tar(TarEntryFormat.Gnu, (Initrd, []))[..512];
        first[124] = 0x80;
        for (var i = 0; i < 11; i++)
        {
            first[135 - i] = i < 8 ? (byte)(size >> (8 * i)) : (byte)0;
        }

        var peek = new TarPeek();
        peek.Read(first);
        var zeros = new byte[1024 * 1024];
        // The contents of the greatest are not worth a test's time; that nothing in them is a header is.
        for (var left = Math.Min(size, 3L * 1024 * 1024); left > 0; left -= zeros.Length)
        {
            peek.Read(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
        }

        if (size == 300)
        {
            peek.Read(new byte[212]);
            peek.Read(Tar(TarEntryFormat.Gnu, ("second", Random(1))));
            Assert.Equal(new TarFacts(null, null), peek.Facts);
        }
        else
        {
            peek.Read(Tar(TarEntryFormat.Gnu, ("second", Random(1))));
            Assert.Equal(new TarFacts(Initrd, null), peek.Facts);
        }
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 })]
    [InlineData(new byte[] { 0x38, 0x38, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x2d, 0x31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    public void A_size_that_no_file_has_ends_the_reading(byte[] size)
    {
        ArgumentNullException.ThrowIfNull(size);
        var tar = Tar(TarEntryFormat.Gnu, (Initrd, Random(1)));
        size.CopyTo(tar, 124);
        Assert.Null(Peek(tar));
    }

    [Fact]
    public void What_is_no_tar_has_no_facts()
    {
        Assert.Null(Peek([]));
        Assert.Null(Peek(new byte[512]));
        Assert.Null(Peek(Random(10_000)));
        Assert.Null(Peek([0x1f, 0x8b, .. Random(2_000)]));
        Assert.Null(Peek(Tar(TarEntryFormat.Ustar, (Initrd, Random(1))).AsSpan(0, 511)));
        Assert.Null(Peek(Tar(TarEntryFormat.V7, (Initrd, Random(1)))));
    }

    [Fact]
    public void What_stands_behind_the_end_of_an_archive_is_not_read()
    {
        byte[] two =
        [
            .. Tar(TarEntryFormat.Ustar, (Initrd, Random(9))),
            .. Tar(TarEntryFormat.Ustar, ("b", Random(9))),
        ];
        Assert.Equal(new TarFacts(Initrd, null), Peek(two));
    }

    [Fact]
    public void The_facts_are_the_same_however_the_bytes_are_split()
    {
        var entry = Gen.Select(Gen.OneOf("a", Initrd, CommandLine, "./" + CommandLine), Gen.Int[0, 1_600]);
        var format = Gen.OneOf(TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu);
        Gen.Select(format, entry.Array[0, 4], Gen.Int[1, 1_500].Array[1, 6])
            .Sample(
                (f, entries, pieces) =>
                {
                    var tar = Tar(f, [.. entries.Select(e => (e.Item1, Random(e.Item2)))]);
                    var expected = new TarFacts(
                        entries.Length == 1 ? entries[0].Item1.Replace("./", "", StringComparison.Ordinal) : null,
                        entries.LastOrDefault(e => e.Item1.EndsWith(CommandLine, StringComparison.Ordinal))
                            is { Item1: not null } last
                            ? Encoding.UTF8.GetString(Random(last.Item2)).TrimEnd('\r', '\n', '\0')
                            : null
                    );
                    Assert.Equal(expected, Peek(tar));

                    var peek = new TarPeek();
                    var at = 0;
                    for (var i = 0; at < tar.Length; i++)
                    {
                        var length = Math.Min(pieces[i % pieces.Length], tar.Length - at);
                        peek.Read(tar.AsSpan(at, length));
                        at += length;
                    }

                    Assert.Equal(expected, peek.Facts);
                },
                iter: 500,
                threads: 1
            );
    }

    [Fact]
    public void Damaged_tars_never_throw()
    {
        var good = Tar(TarEntryFormat.Pax, ("a", Random(100)), (CommandLine, Utf8("x")), (Initrd, Random(900)));
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte)
            .Array[1, 20]
            .Sample(
                hits =>
                {
                    var tar = (byte[])good.Clone();
                    foreach (var (at, value) in hits)
                    {
                        tar[at] = value;
                    }

                    _ = Peek(tar);
                },
                iter: 3_000,
                threads: 1
            );
    }

    [Fact]
    public void A_layer_of_endless_headers_takes_little_memory()
    {
        var header = Tar(TarEntryFormat.Ustar, (CommandLine, Utf8("x")))[..1024];
        Utf8("00000040000").CopyTo(header, 124);
        var peek = new TarPeek();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 200_000; i++)
        {
            peek.Read(header);
        }

        // All that was ever allocated, not what is held at once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100L * 1024 * 1024);
    }

    private static TarFacts? Peek(ReadOnlySpan<byte> bytes)
    {
        var peek = new TarPeek();
        peek.Read(bytes);
        return peek.Facts;
    }

    private static byte[] Tar(TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, format, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                var type = format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;
                var entry = Entry(format, type, name);
                entry.DataStream = new MemoryStream(content);
                tar.WriteEntry(entry);
            }

            if (files.Length == 0)
            {
                tar.WriteEntry(Entry(format, TarEntryType.Directory, "empty/"));
            }
        }

        return stream.ToArray();
    }

    private static TarEntry Entry(TarEntryFormat format, TarEntryType type, string name) =>
        format switch
        {
            TarEntryFormat.Ustar => new UstarTarEntry(type, name),
            TarEntryFormat.Pax => new PaxTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            _ => new V7TarEntry(type, name),
        };

    // Letters of no tar header, the same for the same length.
    private static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
