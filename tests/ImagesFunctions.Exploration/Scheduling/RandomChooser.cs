namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>
/// Random choices, of one of three kinds: each step as likely as any other; by priorities of the processes that change now and then,
/// so that one may stand still for long while others go on; or the first one, but for a few.
/// </summary>
public sealed class RandomChooser : TracedChooser
{
    private const int Burst = 6;
    private const double LikelyInBurst = 0.3;

    // Then storage is well again: what is repeated until it succeeds has to end.
    private const int MaxFaults = 25;

    private static readonly double[] s_likelihoods = [0, 0.02, 0.1, 0.3];

    private readonly Random _random;
    private readonly Kind _kind;
    private readonly double _fault;
    private readonly double _disturbance;
    private readonly double _change;
    private readonly Dictionary<Actor, double> _priorities = [];
    private int _burst;
    private int _faults;

    /// <summary>The choices that follow from a number.</summary>
    public RandomChooser(int seed)
    {
        _random = new Random(seed);
        _kind = (Kind)_random.Next(3);
        _fault = _random.GetItems(s_likelihoods, 1)[0];
        _disturbance = _random.GetItems(s_likelihoods, 1)[0] / 4;
        _change = _random.NextDouble() / 10;
    }

    private enum Kind
    {
        Any,
        Priorities,
        AlmostFirst,
    }

    /// <inheritdoc/>
    protected override int ChooseNext(int number, IReadOnlyList<Step> steps)
    {
        var disturbances = Places(steps, s => s.Kind == StepKind.Disturbance);
        if (disturbances.Count > 0 && _random.NextDouble() < _disturbance)
        {
            return disturbances[_random.Next(disturbances.Count)];
        }

        var others = Places(steps, s => s.Kind != StepKind.Disturbance);
        return _kind switch
        {
            Kind.Any => others[_random.Next(others.Count)],
            Kind.AlmostFirst => _random.NextDouble() < _change ? others[_random.Next(others.Count)] : others[0],
            _ => others.MaxBy(i => PriorityOf(steps[i].Actor)),
        };
    }

    /// <inheritdoc/>
    protected override int ChooseFate(int number, int count)
    {
        // One rarely comes alone.
        var likelihood = _burst-- > 0 ? Math.Max(_fault, LikelyInBurst) : _fault;
        if (_faults == MaxFaults || _random.NextDouble() >= likelihood)
        {
            return 0;
        }

        _faults++;
        _burst = _burst > 0 ? _burst : Burst;
        return _random.Next(1, count);
    }

    private static List<int> Places(IReadOnlyList<Step> steps, Func<Step, bool> which) =>
        [.. Enumerable.Range(0, steps.Count).Where(i => which(steps[i]))];

    private double PriorityOf(Actor actor)
    {
        if (!_priorities.TryGetValue(actor, out var priority) || _random.NextDouble() < _change / 4)
        {
            _priorities[actor] = priority = _random.NextDouble();
        }

        return priority;
    }
}
