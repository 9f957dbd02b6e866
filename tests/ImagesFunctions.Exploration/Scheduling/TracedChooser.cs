namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>A chooser that writes down what it chooses.</summary>
public abstract class TracedChooser : IChooser
{
    private int _number;

    /// <summary>What was chosen so far.</summary>
    public Trace Trace { get; } = new();

    /// <inheritdoc/>
    public int Next(IReadOnlyList<Step> steps) => Add(ChooseNext(_number, steps));

    /// <inheritdoc/>
    public int Fate(int count) => Add(ChooseFate(_number, count));

    /// <summary>See <see cref="IChooser.Next"/>.</summary>
    protected abstract int ChooseNext(int number, IReadOnlyList<Step> steps);

    /// <summary>See <see cref="IChooser.Fate"/>.</summary>
    protected abstract int ChooseFate(int number, int count);

    private int Add(int chosen)
    {
        Trace.Add(_number++, chosen);
        return chosen;
    }
}

/// <summary>Makes the choices of a trace once more; where one is not possible, the last that is.</summary>
/// <param name="trace">The trace.</param>
public sealed class ReplayingChooser(Trace trace) : TracedChooser
{
    /// <inheritdoc/>
    protected override int ChooseNext(int number, IReadOnlyList<Step> steps) =>
        Math.Min(trace.Chosen.GetValueOrDefault(number), steps.Count - 1);

    /// <inheritdoc/>
    protected override int ChooseFate(int number, int count) =>
        Math.Min(trace.Chosen.GetValueOrDefault(number), count - 1);
}

/// <summary>
/// All schedules that differ from the first one in at most so many choices, one after the other: depth first, each run begins
/// anew.
/// </summary>
/// <param name="bound">How many choices may differ.</param>
public sealed class BoundedSearch(int bound)
{
    private readonly List<(int Count, int Chosen)> _path = [];
    private bool _isFirst = true;

    /// <summary>The chooser of the next schedule; null after the last.</summary>
    public TracedChooser? Next()
    {
        if (!_isFirst && !Advance())
        {
            return null;
        }

        _isFirst = false;
        return new Chooser(_path);
    }

    // The last choice that has another one left, and may differ, takes it; what follows is open again.
    private bool Advance()
    {
        var used = _path.Count(p => p.Chosen > 0);
        for (var i = _path.Count - 1; i >= 0; i--)
        {
            var (count, chosen) = _path[i];
            used -= chosen > 0 ? 1 : 0;
            if (chosen + 1 < count && used < bound)
            {
                _path[i] = (count, chosen + 1);
                _path.RemoveRange(i + 1, _path.Count - i - 1);
                return true;
            }
        }

        return false;
    }

    private sealed class Chooser(List<(int Count, int Chosen)> path) : TracedChooser
    {
        protected override int ChooseNext(int number, IReadOnlyList<Step> steps) => Choose(number, steps.Count);

        protected override int ChooseFate(int number, int count) => Choose(number, count);

        private int Choose(int number, int count)
        {
            if (number == path.Count)
            {
                path.Add((count, 0));
            }

            return path[number].Chosen;
        }
    }
}
