using ImagesFunctions.Fuzz.Targets;

namespace ImagesFunctions.Fuzz;

/// <summary>A property that has to hold for every input.</summary>
/// <param name="Name">Its name, and that of the folder of its inputs.</param>
/// <param name="Property">Throws where the property does not hold.</param>
internal sealed record Target(string Name, Action<byte[]> Property)
{
    /// <summary>The longest input that is checked, in bytes; afl-fuzz makes none that is longer.</summary>
    public const int MaxInput = 64 * 1024;

    // What is made of an input may be many times as large: one byte of a list is a descriptor or a text.
    private const long MaxAllocated = 8L << 20;
    private const long MaxAllocatedPerByte = 2_000;

    /// <summary>All that have to hold.</summary>
    public static IReadOnlyList<Target> All { get; } =
    [
        new("manifest", ManifestTarget.Check),
        new("config", ConfigTarget.Check),
        new("index", IndexTarget.Check),
        new("tar", TarTarget.Check),
        new("layer", LayerTarget.Check),
        new("reference", ReferenceTarget.Check),
        new("token", TokenTarget.Check),
        new("range", RangeTarget.Check),
        new("list", ListTarget.Check),
        new("pin", PinTarget.Check),
        new("rules", RulesTarget.Check),
        new("identity", IdentityTarget.Check),
    ];

    /// <summary>A target by its name, or null. It also knows <c>planted</c>, which has a fault: it shows that faults are found.</summary>
    public static Target? Find(string name) =>
        name == "planted" ? new Target(name, Planted.Check) : All.FirstOrDefault(target => target.Name == name);

    /// <summary>Checks what a stream holds.</summary>
    /// <exception cref="PropertyBrokenException">The property does not hold.</exception>
    public void Check(Stream stream)
    {
        using var input = new MemoryStream();
        stream.CopyTo(input);
        Check(input.ToArray());
    }

    /// <summary>Checks the property, and that the memory that it takes is bounded by the length of the input.</summary>
    /// <param name="input">The input; what is longer than <see cref="MaxInput"/> is cut off.</param>
    /// <exception cref="PropertyBrokenException">The property does not hold.</exception>
    public void Check(byte[] input)
    {
        var used = input.Length > MaxInput ? input[..MaxInput] : input;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Property(used);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Holds.True(
            allocated <= MaxAllocated + (MaxAllocatedPerByte * used.Length),
            $"{used.Length} bytes took {allocated} bytes of memory"
        );
    }
}

/// <summary>A property that does not hold. The message says which.</summary>
internal sealed class PropertyBrokenException(string message) : Exception(message);

/// <summary>What properties are made of.</summary>
internal static class Holds
{
    /// <summary>Throws unless a condition holds.</summary>
    /// <exception cref="PropertyBrokenException">It does not hold.</exception>
    public static void True(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new PropertyBrokenException(otherwise);
        }
    }

    /// <summary>Throws unless two values are equal.</summary>
    /// <exception cref="PropertyBrokenException">They differ.</exception>
    public static void Same<T>(T expected, T actual, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new PropertyBrokenException($"{what}: {actual}, and not {expected}");
        }
    }

    /// <summary>Throws unless two sequences are equal.</summary>
    /// <exception cref="PropertyBrokenException">They differ.</exception>
    public static void SameAll<T>(IEnumerable<T> expected, IEnumerable<T> actual, string what)
    {
        var (one, other) = (expected.ToList(), actual.ToList());
        True(one.SequenceEqual(other), $"{what}: [{string.Join(", ", other)}], and not [{string.Join(", ", one)}]");
    }
}
