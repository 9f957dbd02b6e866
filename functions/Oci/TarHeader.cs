using System.Globalization;
using System.Text;

namespace ImagesFunctions.Oci;

/// <summary>
/// Headers of a tar whose owner, mode and time are fixed, so that the same files make the same bytes: ustar (POSIX.1-1988), with
/// an extended header of POSIX.1-2001 (pax) before an entry whose name or size does not fit into ustar.
/// </summary>
public static class TarHeader
{
    /// <summary>The length of a block: headers are that long, and contents are padded to it, in bytes.</summary>
    public const int Block = 512;

    private const int MaxName = 100;
    private const long MaxSize = 0x1_FFFF_FFFF; // eleven octal digits
    private const int FileMode = 0b110_100_100;
    private const int FolderMode = 0b111_101_101;

    /// <summary>The end of an archive.</summary>
    public static byte[] End { get; } = new byte[2 * Block];

    /// <summary>The header of a folder.</summary>
    /// <param name="path">Its path, with a slash at its end; at most 100 ASCII characters.</param>
    public static byte[] OfFolder(string path) => Ustar(path, FolderMode, 0, '5');

    /// <summary>The headers of a file.</summary>
    /// <param name="path">Its path, in ASCII.</param>
    /// <param name="size">Its length in bytes.</param>
    public static byte[] OfFile(string path, long size)
    {
        var records = new StringBuilder();
        if (path.Length > MaxName)
        {
            records.Append(Record("path", path));
        }

        if (size > MaxSize)
        {
            records.Append(Record("size", size.ToString(CultureInfo.InvariantCulture)));
        }

        // Where the extended header has the value, readers ignore the field.
        var header = Ustar(path[^Math.Min(path.Length, MaxName)..], FileMode, size > MaxSize ? 0 : size, '0');
        if (records.Length == 0)
        {
            return header;
        }

        var extended = Encoding.ASCII.GetBytes(records.ToString());
        return
        [
            .. Ustar("PaxHeaders/file", FileMode, extended.Length, 'x'),
            .. extended,
            .. new byte[PaddingOf(extended.Length)],
            .. header,
        ];
    }

    /// <summary>How many zero bytes follow a content of this many bytes.</summary>
    public static int PaddingOf(long size) => (int)(-size & (Block - 1));

    // A record begins with its length, which includes the digits of the length.
    private static string Record(string name, string value)
    {
        var rest = $" {name}={value}\n";
        var length = rest.Length + 1;
        while (length != rest.Length + Digits(length))
        {
            length = rest.Length + Digits(length);
        }

        return length.ToString(CultureInfo.InvariantCulture) + rest;

        static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
    }

    private static byte[] Ustar(string name, int mode, long size, char type)
    {
        var header = new byte[Block];
        Text(0, name);
        Octal(100, 7, mode);
        Octal(108, 7, 0); // owner
        Octal(116, 7, 0); // group
        Octal(124, 11, size);
        Octal(136, 11, 0); // time of the last change
        header.AsSpan(148, 8).Fill((byte)' ');
        header[156] = (byte)type;
        Text(257, "ustar");
        Text(263, "00");
        Octal(329, 7, 0); // device
        Octal(337, 7, 0);
        var sum = 0;
        foreach (var value in header)
        {
            sum += value;
        }

        Octal(148, 6, sum);
        header[154] = 0;
        return header;

        void Text(int at, string text) => Encoding.ASCII.GetBytes(text, header.AsSpan(at));

        void Octal(int at, int digits, long number) => Text(at, Convert.ToString(number, 8).PadLeft(digits, '0'));
    }
}
