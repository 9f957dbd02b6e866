namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>Makes the choices of a schedule.</summary>
public interface IChooser
{
    /// <summary>What happens next.</summary>
    /// <param name="steps">What can, in the order in which it became possible; at least one of them is no disturbance.</param>
    /// <returns>Its place in the list.</returns>
    int Next(IReadOnlyList<Step> steps);

    /// <summary>What becomes of a request.</summary>
    /// <param name="count">How many ways there are; the first is the ordinary one.</param>
    /// <returns>Which.</returns>
    int Fate(int count);
}

/// <summary>
/// The choices of a schedule, in order, as text: only those that are not the first of what there was, each as its number among all
/// choices and what was chosen, such as <c>17:1,42:3</c>. Empty: the first one each time.
/// </summary>
public sealed class Trace
{
    private readonly SortedDictionary<int, int> _chosen = [];

    /// <summary>The choices that are not the first one, by their number.</summary>
    public IReadOnlyDictionary<int, int> Chosen => _chosen;

    /// <summary>Parses what <see cref="ToString"/> writes.</summary>
    /// <exception cref="FormatException">It is not a trace.</exception>
    public static Trace Parse(string text)
    {
        var trace = new Trace();
        foreach (var choice in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (
                choice.Split(':') is not [var at, var chosen]
                || !int.TryParse(at, out var number)
                || !int.TryParse(chosen, out var which)
            )
            {
                throw new FormatException($"{choice} is not a choice: <number>:<which>");
            }

            trace.Add(number, which);
        }

        return trace;
    }

    /// <summary>Writes a choice down.</summary>
    public void Add(int number, int chosen)
    {
        if (chosen != 0)
        {
            _chosen[number] = chosen;
        }
    }

    /// <summary>The same without one of its choices.</summary>
    public Trace Without(int number)
    {
        var trace = new Trace();
        foreach (var (at, chosen) in _chosen.Where(c => c.Key != number))
        {
            trace.Add(at, chosen);
        }

        return trace;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(',', _chosen.Select(c => $"{c.Key}:{c.Value}"));
}
