using System.CommandLine;
using System.Globalization;

namespace ImagesFunctions.Local;

/// <summary><c>quota set</c>: how much an account may store.</summary>
internal static class QuotaCommand
{
    private const string None = "none";

    // Those of 1,024 and those of 1,000, as disks are sold.
    private static readonly (string Unit, long Bytes)[] s_units =
    [
        ("KiB", 1L << 10),
        ("MiB", 1L << 20),
        ("GiB", 1L << 30),
        ("TiB", 1L << 40),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
        ("", 1),
    ];

    public static Command Set(Terminal terminal)
    {
        var account = TokenCommands.Account(isNew: true);
        var size = new Argument<string>("size")
        {
            Description = "How much the account may store, such as 10GiB, 500MB or 1048576; none: any amount",
        };
        return terminal.Runs(
            Help.Examples(
                new Command("set", "Sets how much an account may store; what is there already stays") { account, size },
                "quota set demo 10GiB",
                "quota set demo none"
            ),
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var bytes = Parse(parsed.GetValue(size)!);
                await images.SetQuotaAsync(name, bytes, cancellationToken);
                var usage = await images.UsageAsync(name, cancellationToken);
                await terminal.Errors.WriteLineAsync(
                    bytes is { } limit
                        ? $"Account {name} may store {Values.Size(limit)}, and stores {Values.Size(usage.Bytes)}. Every process keeps to that within a minute."
                        : $"Account {name} may store any amount."
                );
                return 0;
            }
        );
    }

    /// <summary>Reads a size in bytes; null for none.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    internal static long? Parse(string text)
    {
        if (text == None)
        {
            return null;
        }

        foreach (var (unit, bytes) in s_units.Where(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase)))
        {
            if (
                decimal.TryParse(
                    text.AsSpan(..^unit.Length).TrimEnd(),
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var count
                )
                && count <= long.MaxValue / bytes
                && count * bytes is var size
                && decimal.Truncate(size) == size
            )
            {
                return (long)size;
            }
        }

        throw new FormatException($"'{text}' is no size: use 10GiB, 500MB, a number of bytes, or none");
    }
}
