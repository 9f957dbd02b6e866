using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ZstdSharp;

namespace ImagesFunctions.Tests.Blobs;

public sealed class LayerPeekTests
{
    private static readonly byte[] Initrd = Tar((TarFacts.Initrd, new string('i', 300_000)));
    private static readonly byte[] CommandLine = Tar(("etc/a", "a"), (TarFacts.CommandLinePath, "console=ttyS0\n"));

    public static TheoryData<string, int> Forms
    {
        get
        {
            var forms = new TheoryData<string, int>();
            foreach (var form in (string[])["plain", "gzip", "gzip of two members", "zstd", "zstd of two frames"])
            {
                foreach (var size in (int[])[1, 3, 1_000, int.MaxValue])
                {
                    forms.Add(form, size);
                }
            }

            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_layer_shows_the_same_however_it_is_compressed_and_cut(string form, int size)
    {
        Assert.Equal(new TarFacts(TarFacts.Initrd, null), Peek(Compressed(form, Initrd), size));
        Assert.Equal(new TarFacts(null, "console=ttyS0"), Peek(Compressed(form, CommandLine), size));
        Assert.Equal(new TarFacts("etc/a", null), Peek(Compressed(form, Tar(("etc/a", "a"))), size));
        Assert.Null(Peek(Compressed(form, Encoding.UTF8.GetBytes(new string('x', 2_000))), size));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public void Broken_bytes_have_no_only_file_and_are_no_error(string form)
    {
        var good = Compressed(form, Initrd);
        for (var i = 4; i < good.Length; i += Math.Max(1, good.Length / 200))
        {
            var bad = good.ToArray();
            bad[i] ^= 0x55;
            _ = Peek(bad, 100);
        }

        Assert.Null(Peek(good[..4], 1));
        Assert.Null(Peek([], 1));
    }

    /// <summary>Else the rows that are made of a blob would depend on how its bytes came.</summary>
    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("gzip of two members")]
    public void A_damaged_layer_shows_the_same_however_it_is_cut(string form)
    {
        var good = Compressed(form, CommandLine);
        for (var i = 4; i < good.Length; i++)
        {
            var bad = good.ToArray();
            bad[i] ^= 0x55;
            foreach (var damaged in (byte[][])[bad, good[..i]])
            {
                var whole = Peek(damaged, int.MaxValue);
                Assert.All((int[])[1, 7, 100], size => Assert.Equal(whole, Peek(damaged, size)));
            }
        }
    }

    [Fact]
    public void An_initrd_of_a_size_that_people_have_is_seen()
    {
        var bytes = new byte[40 << 20];
        Random.Shared.NextBytes(bytes.AsSpan(0, 4 << 20));

        Assert.Equal(TarFacts.Initrd, Peek(Compressed("gzip", Tar(TarFacts.Initrd, bytes)), 1 << 20)?.OnlyFile);
    }

    [Fact]
    public void Of_an_ordinary_layer_only_the_beginning_is_unpacked()
    {
        var large = new byte[20 << 20];
        Random.Shared.NextBytes(large);
        var layer = Tar(("etc/large", Convert.ToBase64String(large)), (TarFacts.CommandLinePath, "late"));

        Assert.Equal(new TarFacts(null, null), Peek(Compressed("gzip", layer), 1 << 20));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public void What_grows_out_of_nothing_is_not_unpacked_to_its_end(string form)
    {
        // 300 MiB of zeros, under the name of an initrd.
        var bomb = Compressed(form, Tar(TarFacts.Initrd, new byte[300 << 20]));
        Assert.InRange(bomb.Length, 1, 1 << 20);

        Assert.Null(Peek(bomb, 1 << 16)?.OnlyFile);
    }

    [Fact]
    public void A_window_that_takes_much_memory_is_not_made()
    {
        using var buffer = new MemoryStream();
        using (var zstd = new CompressionStream(buffer, 3, leaveOpen: true))
        {
            zstd.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_windowLog, 27);
            zstd.Write(Tar(TarFacts.Initrd, new byte[200 << 20]));
        }

        Assert.Null(Peek(buffer.ToArray(), 1 << 16));
    }

    [Fact]
    public void Of_many_that_are_kept_at_once_the_later_ones_are_not_unpacked()
    {
        // The first half: a decoder that has seen the end is not kept.
        var noise = new byte[1 << 20];
        Random.Shared.NextBytes(noise);
        var zstd = Compressed("zstd", Tar(TarFacts.Initrd, noise));
        var kept = new List<LayerPeek>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                kept.Add(new LayerPeek());
                kept[i].Read(zstd.AsSpan(0, zstd.Length / 2));
            }

            Assert.InRange(kept.Count(p => p.Facts is not null), 1, 32);
        }
        finally
        {
            kept.ForEach(p => p.Dispose());
        }
    }

    private static TarFacts? Peek(byte[] layer, int size)
    {
        using var peek = new LayerPeek();
        for (var at = 0; at < layer.Length; at += size)
        {
            peek.Read(layer.AsSpan(at, Math.Min(size, layer.Length - at)));
            if (size == int.MaxValue)
            {
                break;
            }
        }

        return peek.Facts;
    }

    private static byte[] Compressed(string form, byte[] bytes) =>
        form switch
        {
            "gzip" => With(bytes, to => new GZipStream(to, CompressionLevel.Optimal, leaveOpen: true)),
            "zstd" => With(bytes, to => new CompressionStream(to, 3, leaveOpen: true)),
            "gzip of two members" => [.. Compressed("gzip", bytes[..700]), .. Compressed("gzip", bytes[700..])],
            "zstd of two frames" => [.. Compressed("zstd", bytes[..700]), .. Compressed("zstd", bytes[700..])],
            _ => bytes,
        };

    private static byte[] With(byte[] bytes, Func<Stream, Stream> compress)
    {
        using var buffer = new MemoryStream();
        using (var stream = compress(buffer))
        {
            stream.Write(bytes);
        }

        return buffer.ToArray();
    }

    private static byte[] Tar(params (string Path, string Text)[] files)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (path, text) in files)
            {
                Write(tar, path, Encoding.UTF8.GetBytes(text));
            }
        }

        return buffer.ToArray();
    }

    private static byte[] Tar(string path, byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            Write(tar, path, bytes);
        }

        return buffer.ToArray();
    }

    private static void Write(TarWriter tar, string path, byte[] bytes) =>
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(bytes) });
}
