namespace ImagesFunctions.Exploration.Histories;

/// <summary>
/// Searches an order of operations on some tags, as Wing and Gong do, operation by operation as their answers come: a candidate is
/// what the tags are, and which of the operations under way have taken effect. When an operation is answered, those candidates
/// remain in which it has taken effect; in others, operations under way take effect until it has. Equal candidates are one.
/// </summary>
/// <param name="tags">The tags. What happens to others is left out.</param>
internal sealed class Explanation(IReadOnlyList<string> tags)
{
    private const int MaxOpen = 128;
    private const int MaxCandidates = 200_000;

    private readonly Dictionary<string, int> _tags = tags.Select((tag, i) => (tag, i))
        .ToDictionary(t => t.tag, t => t.i, StringComparer.Ordinal);

    private readonly Dictionary<string, int> _values = new(StringComparer.Ordinal);
    private readonly Open?[] _open = new Open?[MaxOpen];
    private HashSet<Candidate> _candidates = [];

    /// <summary>Searches.</summary>
    /// <returns>The first operation whose answer has no explanation; null where all have one.</returns>
    public string? Find(IReadOnlyCollection<Operation> history)
    {
        _candidates = [new Candidate(new int[_tags.Count], default)];
        var events = history.Select(o => (At: o.Start, IsEnd: false, Operation: new Open(this, o))).ToList();
        // What has no known end has none. At the same moment a start comes first: the two count as under way together.
        events.AddRange(
            events.Where(e => e.Operation.HasEnd).Select(e => (e.Operation.Said.End, true, e.Operation)).ToList()
        );
        foreach (var (_, isEnd, operation) in events.OrderBy(e => e.At).ThenBy(e => e.IsEnd))
        {
            if (!isEnd)
            {
                Begin(operation);
            }
            else if (!TryEnd(operation))
            {
                return $"{operation.Said}, beside {_open.Count(o => o is not null)} others under way";
            }
        }

        return null;
    }

    private void Begin(Open operation)
    {
        operation.Slot = Array.IndexOf(_open, null);
        if (operation.Slot < 0)
        {
            Retire();
            operation.Slot = Array.IndexOf(_open, null);
        }

        if (operation.Slot < 0)
        {
            throw new InvalidOperationException($"more than {MaxOpen} operations are under way, or without an answer");
        }

        _open[operation.Slot] = operation;
        if (!operation.IsWrite)
        {
            // A read takes effect as soon as it can: that changes nothing for any other.
            _candidates = [.. _candidates.Select(Settle)];
        }
    }

    private bool TryEnd(Open operation)
    {
        var remaining = new HashSet<Candidate>();
        var seen = new HashSet<Candidate>(_candidates);
        var next = new Queue<Candidate>(_candidates);
        while (next.TryDequeue(out var candidate))
        {
            if (candidate.HasDone(operation.Slot))
            {
                remaining.Add(candidate.Forget(operation.Slot));
                continue;
            }

            foreach (var write in _open)
            {
                if (
                    write is { IsWrite: true }
                    && !candidate.HasDone(write.Slot)
                    && Settle(candidate.Do(write)) is var after
                    && seen.Add(after)
                )
                {
                    next.Enqueue(after);
                }
            }

            if (seen.Count > MaxCandidates)
            {
                throw new InvalidOperationException($"too many orders are possible at {operation.Said}");
            }
        }

        _open[operation.Slot] = null;
        _candidates = Best(remaining);
        return _candidates.Count > 0;
    }

    // Those reads take effect that find what they have read.
    private Candidate Settle(Candidate candidate)
    {
        foreach (var read in _open)
        {
            if (read is { IsWrite: false } && !candidate.HasDone(read.Slot) && read.Finds(candidate.Values))
            {
                candidate = candidate.With(read.Slot);
            }
        }

        return candidate;
    }

    // Of two that differ only in what without an answer has taken effect, the one in which more may still do so explains more.
    private HashSet<Candidate> Best(HashSet<Candidate> candidates)
    {
        var optional = UInt128.Zero;
        foreach (var open in _open.OfType<Open>().Where(o => !o.HasEnd))
        {
            optional |= UInt128.One << open.Slot;
        }

        var best = new HashSet<Candidate>();
        foreach (var group in candidates.GroupBy(c => new Candidate(c.Values, c.Done & ~optional)))
        {
            foreach (var candidate in group)
            {
                var done = candidate.Done & optional;
                if (!group.Any(o => o.Done != candidate.Done && (o.Done & optional & ~done) == UInt128.Zero))
                {
                    best.Add(candidate);
                }
            }
        }

        return best;
    }

    // What has no answer, and has taken effect in all candidates, is over.
    private void Retire()
    {
        foreach (var open in _open.OfType<Open>().Where(o => !o.HasEnd).ToList())
        {
            if (_candidates.All(c => c.HasDone(open.Slot)))
            {
                _open[open.Slot] = null;
                _candidates = [.. _candidates.Select(c => c.Forget(open.Slot))];
            }
        }
    }

    // 0 where nothing is.
    private int NumberOf(string? value)
    {
        if (value is null)
        {
            return 0;
        }

        if (!_values.TryGetValue(value, out var number))
        {
            _values[value] = number = _values.Count + 1;
        }

        return number;
    }

    /// <summary>An operation, as what it does to the tags or has found of them.</summary>
    internal sealed class Open
    {
        private readonly int _tag = -1;
        private readonly int _value;
        private readonly int[]? _all;

        public Open(Explanation search, Operation operation)
        {
            Said = operation;
            _tag = operation.Tag is { } tag ? search._tags[tag] : -1;
            _value = search.NumberOf(operation.Op == OperationKind.Delete ? null : operation.Value);
            if (operation.Tags is { } all)
            {
                _all = new int[search._tags.Count];
                foreach (var (name, value) in all)
                {
                    _all[search._tags[name]] = search.NumberOf(value);
                }
            }
        }

        public Operation Said { get; }

        public int Slot { get; set; }

        public bool IsWrite => Said.Op is not (OperationKind.Get or OperationKind.List);

        public bool HasEnd => Said.Outcome == OperationOutcome.Ok;

        public bool Finds(int[] values) => _all is null ? values[_tag] == _value : values.AsSpan().SequenceEqual(_all);

        public int[] Applied(int[] values)
        {
            var after = (int[])values.Clone();
            if (Said.Op == OperationKind.DeleteImage)
            {
                after.AsSpan().Replace(_value, 0);
            }
            else
            {
                after[_tag] = _value;
            }

            return after;
        }
    }

    /// <summary>What the tags are, and which of the operations under way have taken effect.</summary>
    internal sealed class Candidate(int[] values, UInt128 done) : IEquatable<Candidate>
    {
        private readonly int _hash = Hash(values, done);

        public int[] Values => values;

        public UInt128 Done => done;

        public bool HasDone(int slot) => (done >> slot & UInt128.One) != UInt128.Zero;

        public Candidate With(int slot) => new(values, done | (UInt128.One << slot));

        public Candidate Forget(int slot) => new(values, done & ~(UInt128.One << slot));

        public Candidate Do(Open write) => new(write.Applied(values), done | (UInt128.One << write.Slot));

        public bool Equals(Candidate? other) =>
            other is not null && done == other.Done && values.AsSpan().SequenceEqual(other.Values);

        public override bool Equals(object? obj) => Equals(obj as Candidate);

        public override int GetHashCode() => _hash;

        private static int Hash(int[] values, UInt128 done)
        {
            var hash = new HashCode();
            foreach (var value in values)
            {
                hash.Add(value);
            }

            hash.Add(done);
            return hash.ToHashCode();
        }
    }
}
