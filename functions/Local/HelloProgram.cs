using System.Buffers.Binary;
using System.Text;

namespace ImagesFunctions.Local;

/// <summary>
/// A static Linux program for x86-64 that prints one line and ends with 0: an ELF file of one segment, whose code makes two
/// system calls (System V ABI, chapter 4 and x86-64 supplement, appendix A.2.1).
/// </summary>
internal static class HelloProgram
{
    private const int HeaderLength = 64;
    private const int SegmentHeaderLength = 56;
    private const int CodeAt = HeaderLength + SegmentHeaderLength;
    private const ulong LoadedAt = 0x40_0000;

    /// <summary>The file that prints this line.</summary>
    /// <param name="line">ASCII, without its end.</param>
    public static byte[] Printing(string line)
    {
        var text = Encoding.ASCII.GetBytes(line + "\n");
        var code = Code(text.Length);
        var file = new byte[CodeAt + code.Length + text.Length];
        WriteHeader(file);
        WriteSegment(file.AsSpan(HeaderLength), (ulong)file.Length);
        code.CopyTo(file, CodeAt);
        text.CopyTo(file, CodeAt + code.Length);
        return file;
    }

    // write(1, the text behind the code, its length); exit(0)
    private static byte[] Code(int length)
    {
        byte[] code =
        [
            .. (ReadOnlySpan<byte>)[0xB8, 1, 0, 0, 0], // mov eax, 1
            .. (ReadOnlySpan<byte>)[0xBF, 1, 0, 0, 0], // mov edi, 1
            .. (ReadOnlySpan<byte>)[0x48, 0x8D, 0x35, 16, 0, 0, 0], // lea rsi, [rip + 16]: the rest of the code is 16 bytes
            .. (ReadOnlySpan<byte>)[0xBA, 0, 0, 0, 0], // mov edx, length
            .. (ReadOnlySpan<byte>)[0x0F, 0x05], // syscall
            .. (ReadOnlySpan<byte>)[0xB8, 60, 0, 0, 0], // mov eax, 60
            .. (ReadOnlySpan<byte>)[0x31, 0xFF], // xor edi, edi
            .. (ReadOnlySpan<byte>)[0x0F, 0x05], // syscall
        ];
        BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(18), length);
        return code;
    }

    private static void WriteHeader(Span<byte> to)
    {
        "\u007fELF"u8.CopyTo(to);
        to[4] = 2; // 64 bits
        to[5] = 1; // little-endian
        to[6] = 1; // version
        BinaryPrimitives.WriteUInt16LittleEndian(to[16..], 2); // an executable
        BinaryPrimitives.WriteUInt16LittleEndian(to[18..], 62); // x86-64
        BinaryPrimitives.WriteUInt32LittleEndian(to[20..], 1); // version
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], LoadedAt + CodeAt); // where it begins
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], HeaderLength); // where the segment's header is
        BinaryPrimitives.WriteUInt16LittleEndian(to[52..], HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(to[54..], SegmentHeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(to[56..], 1); // segments
    }

    private static void WriteSegment(Span<byte> to, ulong length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, 1); // to be loaded
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], 5); // may be read and executed
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], LoadedAt); // virtual address
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], LoadedAt); // physical address
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], length); // in the file
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], length); // in memory
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], 0x1000); // alignment
    }
}
