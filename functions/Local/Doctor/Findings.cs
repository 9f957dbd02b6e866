namespace ImagesFunctions.Local;

/// <summary>What one check finds wrong: everything at once, with a command for each.</summary>
internal sealed class Findings
{
    private readonly List<(string Detail, string Mend)> _found = [];
    private bool _isBad;

    /// <summary>Adds what will not work.</summary>
    public void Fail(string detail, string mend)
    {
        _isBad = true;
        _found.Add((detail, mend));
    }

    /// <summary>Adds what works, and is not as it should be.</summary>
    public void Warn(string detail, string mend) => _found.Add((detail, mend));

    /// <summary>The check.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="well">What is said where nothing was found.</param>
    public Check ToCheck(string name, string well) =>
        _found.Count == 0
            ? new Check(name, Check.Ok, well)
            : new Check(
                name,
                _isBad ? Check.Failed : Check.Warning,
                string.Join("; ", _found.Select(f => f.Detail)),
                string.Join(" && ", _found.Select(f => f.Mend).Distinct(StringComparer.Ordinal))
            );
}
