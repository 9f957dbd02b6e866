namespace ImagesFunctions.Exploration.Journal;

/// <summary>How a decision asks to be committed, and what is expected of it.</summary>
public enum CallKind
{
    /// <summary>It is made again until it is committed.</summary>
    Commits,

    /// <summary>It is made once.</summary>
    TriesOnce,

    /// <summary>It changes nothing.</summary>
    Reads,

    /// <summary>It writes a row that no table accepts.</summary>
    IsInvalid,
}

/// <summary>A decision of a schedule.</summary>
/// <param name="Id">Its name, and what the rows say that it writes.</param>
/// <param name="Kind">How it is committed.</param>
public sealed record CallPlan(string Id, CallKind Kind)
{
    /// <summary>The rows that all decisions read and write.</summary>
    public const string Keys = "abcd";

    /// <summary>The row that others write outside the partition's order.</summary>
    public const string Outside = "x";

    /// <summary>A key that is only counted as written and as read.</summary>
    public const string Announced = "n!";

    /// <summary>Rows that it reads.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];

    /// <summary>Whether it scans the rows from <c>a</c> up to <c>c</c>, without <c>c</c>.</summary>
    public bool Scans { get; init; }

    /// <summary>Rows that it writes.</summary>
    public IReadOnlyList<string> Writes { get; init; } = [];

    /// <summary>Rows that it removes.</summary>
    public IReadOnlyList<string> Removes { get; init; } = [];

    /// <summary>Whether it changes the row <see cref="Outside"/>, if that is as it was read.</summary>
    public bool Marks { get; init; }

    /// <summary>Whether it counts <see cref="Announced"/> as written.</summary>
    public bool Announces { get; init; }

    /// <summary>Whether it counts <see cref="Announced"/> as read.</summary>
    public bool Watches { get; init; }

    /// <summary>The key of the row in which it records what it has read.</summary>
    public string Record => $"r!{Id}";

    /// <summary>One by chance.</summary>
    public static CallPlan Any(string id, Random random)
    {
        var kind = random.Next(12) switch
        {
            0 => CallKind.Reads,
            1 => CallKind.TriesOnce,
            2 when random.Next(4) == 0 => CallKind.IsInvalid,
            _ => CallKind.Commits,
        };
        var keys = Keys.Select(c => $"{c}").ToArray();
        random.Shuffle(keys);
        var written = keys[..random.Next(3)];
        return new CallPlan(id, kind)
        {
            Reads = keys[..random.Next(3)],
            Scans = random.Next(4) == 0,
            Writes = [.. written.Where((_, i) => i == 0 || random.Next(2) == 0)],
            Removes = [.. keys[3..].Where(_ => random.Next(4) == 0)],
            Marks = random.Next(6) == 0,
            Announces = random.Next(6) == 0,
            Watches = random.Next(6) == 0,
        };
    }
}
