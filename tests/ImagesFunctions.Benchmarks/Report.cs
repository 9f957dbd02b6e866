using System.Globalization;
using System.Text;

namespace ImagesFunctions.Benchmarks;

/// <summary>What a ratio has to be.</summary>
internal sealed record Target(double Value, bool IsLeast)
{
    public static Target AtLeast(double value) => new(value, true);

    public static Target AtMost(double value) => new(value, false);

    public bool IsMet(double ratio) => IsLeast ? ratio >= Value : ratio <= Value;

    public override string ToString() => $"{(IsLeast ? "≥" : "≤")} {Value:0.##}";
}

/// <summary>One line of the table.</summary>
/// <param name="Work">What is done.</param>
/// <param name="Ours">Our median, as text with its unit.</param>
/// <param name="Peer">The peer's.</param>
/// <param name="Ratio">Ours by the peer's.</param>
/// <param name="Target">What the ratio has to be, or null where it is only told.</param>
/// <param name="How">How it was measured, in one sentence.</param>
internal sealed record Row(string Work, string Ours, string Peer, double Ratio, Target? Target, string How)
{
    /// <summary>Makes one of two medians of the same unit.</summary>
    public static Row Of(
        string work,
        (double Ours, double Peer) medians,
        string unit,
        string peer,
        Target? target,
        string how
    ) =>
        new(
            work,
            Amount(medians.Ours, unit),
            $"{peer}: {Amount(medians.Peer, unit)}",
            medians.Ours / medians.Peer,
            target,
            how
        );

    public string Met =>
        Target is null ? ""
        : Target.IsMet(Ratio) ? "met"
        : "**missed**";

    public static string Amount(double value, string unit) =>
        value.ToString(
            value switch
            {
                >= 100 => "#,0",
                >= 10 => "0.0",
                _ => "0.00",
            },
            CultureInfo.InvariantCulture
        )
        + " "
        + unit;
}

/// <summary>The results: shown as they come, and written into the document at the end.</summary>
internal sealed class Report(TextWriter output)
{
    // What follows it in the document stays as it is.
    private const string ByHand = "<!-- What follows is written by hand, and kept by the next run. -->";

    private readonly List<Row> _rows = [];
    private readonly List<(string Name, double Microseconds, long Bytes)> _functions = [];
    private readonly List<(string Title, string File, string Text)> _plots = [];
    private readonly List<WorkRow> _work = [];

    /// <summary>The facts of this machine.</summary>
    public IReadOnlyList<(string Name, string Value)> Machine { get; set; } = [];

    public void Add(Row row)
    {
        _rows.Add(row);
        output.WriteLine(
            $"{DateTime.Now:HH:mm:ss} {row.Work} | {row.Ours} | {row.Peer} | {row.Ratio:0.00} | {row.Target} | {row.Met.Trim('*')}"
        );
    }

    /// <summary>How docker-registry is run on Azurite, or why it is not.</summary>
    public string RegistryNote { get; set; } = "";

    /// <summary>Takes a line of the table of a registry's work.</summary>
    public void Add(WorkRow row)
    {
        _work.Add(row);
        var azure = row.Azure is { } peer ? row.Beside(peer) : "–";
        output.WriteLine(
            $"{DateTime.Now:HH:mm:ss} {row.Work} | {Row.Amount(row.Ours, "/s")} | {row.Beside(row.Files)} | {azure} | {row.Beside(row.Storage)} | {row.Won.Replace("*", "", StringComparison.Ordinal)}"
        );
    }

    /// <summary>Takes a function, its median time in microseconds, and what it allocates in bytes.</summary>
    public void AddFunction(string name, double microseconds, long bytes)
    {
        _functions.Add((name, microseconds, bytes));
        output.WriteLine($"{name} | {microseconds:#,0.0} µs | {bytes:#,0} B");
    }

    /// <summary>Takes a plot.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="file">Its name in <c>docs</c>.</param>
    /// <param name="svg">The plot.</param>
    /// <param name="text">What it shows, the exponents too.</param>
    public void Add(string title, string file, string svg, string text)
    {
        _plots.Add((title, file, text));
        Svgs.Add(file, svg);
        output.WriteLine($"{title}: {text}");
    }

    private Dictionary<string, string> Svgs { get; } = new(StringComparer.Ordinal);

    /// <summary>Writes the document and the plots into a folder.</summary>
    public async Task WriteAsync(string folder, CancellationToken stop)
    {
        foreach (var (file, svg) in Svgs)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), svg, stop);
        }

        var document = Path.Combine(folder, "benchmarks.md");
        var before = File.Exists(document) ? await File.ReadAllTextAsync(document, stop) : "";
        var kept = before.IndexOf(ByHand, StringComparison.Ordinal);
        await File.WriteAllTextAsync(document, $"{Document()}\n{(kept < 0 ? $"{ByHand}\n" : before[kept..])}", stop);
    }

    private string Document()
    {
        var text = new StringBuilder();
        text.Append(
            """
            # Benchmarks

            Written by one run of `dotnet run -c Release --project tests/ImagesFunctions.Benchmarks`. All that is
            compared was measured in that run, in turns (ours, peer, ours, peer), and the table shows medians. Storage is Azurite,
            so what is absolute says little about Azure; the ratios do.


            """
        );
        AppendMachine(text);
        AppendRows(text);
        RegistryTable.Append(text, _work, RegistryNote);
        AppendFunctions(text);
        if (_plots.Count > 0)
        {
            text.Append("\n## How it grows\n");
        }

        foreach (var (title, file, shown) in _plots)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {title}\n\n![{title}]({file})\n\n{shown}\n");
        }

        return text.ToString();
    }

    private void AppendMachine(StringBuilder text)
    {
        text.Append("| machine | |\n| --- | --- |\n");
        foreach (var (name, value) in Machine)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {value} |\n");
        }
    }

    private void AppendRows(StringBuilder text)
    {
        text.Append(
            "\n## Results\n\n| | work | ours | peer | ratio | target | |\n| --- | --- | --- | --- | --- | --- | --- |\n"
        );
        foreach (var (i, row) in _rows.Index())
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {i + 1} | {row.Work} | {row.Ours} | {row.Peer} | {row.Ratio:0.00} | {row.Target} | {row.Met} |\n"
            );
        }

        text.Append("\n## How each line is measured\n\n");
        foreach (var (i, row) in _rows.Index())
        {
            text.Append(CultureInfo.InvariantCulture, $"{i + 1}. {row.How}\n");
        }
    }

    private void AppendFunctions(StringBuilder text)
    {
        text.Append(
            "\n## Functions\n\nBy BenchmarkDotNet, in a short job in the command's own process.\n\n| function | median | allocates |\n| --- | --- | --- |\n"
        );
        foreach (var (name, microseconds, bytes) in _functions)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {microseconds:#,0.0} µs | {bytes:#,0} B |\n");
        }
    }
}
