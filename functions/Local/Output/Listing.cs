using System.CommandLine;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Local;

/// <summary>How a command writes a list: the options <c>-o</c>, <c>--filter</c> and <c>--sort</c>, the same wherever something is listed.</summary>
internal sealed class Listing<T>
{
    private readonly IReadOnlyList<Column<T>> _columns;
    private readonly Func<T, string> _quiet;
    private readonly OutputForm _form = new();
    private readonly Option<string[]> _filters;
    private readonly Option<string?> _sort;

    /// <summary>Makes the options.</summary>
    /// <param name="columns">The columns, in the order of a table.</param>
    /// <param name="quiet">The name of an item.</param>
    public Listing(IReadOnlyList<Column<T>> columns, Func<T, string> quiet)
    {
        (_columns, _quiet) = (columns, quiet);
        var names = string.Join(", ", columns.Select(c => c.Name));
        _filters = new Option<string[]>("--filter")
        {
            Description =
                $"Only items where a column ({names}) is (=), is not (!=), is less (<) or greater (>) than something; * stands for anything (may be repeated)",
            HelpName = "column=pattern",
        };
        _sort = new Option<string?>("--sort")
        {
            Description = "The column to sort by; with a - before it the other way round",
            HelpName = "column",
        };
        _sort.CompletionSources.Add([.. columns.Select(c => c.Name)]);
        _filters.Validators.Add(result =>
        {
            foreach (var text in result.GetValueOrDefault<string[]>() ?? [])
            {
                Check(result.AddError, text, Filter.Parse(text)?.Column);
            }
        });
        _sort.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string?>() ?? "";
            Check(result.AddError, text, text.TrimStart('-'));
        });
    }

    /// <summary>Gives the options to a command.</summary>
    public void AddTo(Command command)
    {
        _form.AddTo(command);
        command.Options.Add(_filters);
        command.Options.Add(_sort);
    }

    /// <summary>Writes what was asked for of the items, in the form and order that was asked for.</summary>
    public async Task WriteAsync(ParseResult parsed, IEnumerable<T> items, TextWriter output)
    {
        foreach (var filter in (parsed.GetValue(_filters) ?? []).Select(Filter.Parse).OfType<Filter>())
        {
            var column = Find(filter.Column)!;
            items = items.Where(item => filter.Holds(column.Value(item)));
        }

        if (parsed.GetValue(_sort) is { } sort)
        {
            var column = Find(sort.TrimStart('-'))!;
            var compare = Comparer<IComparable>.Create(
                (a, b) => a is string x && b is string y ? string.CompareOrdinal(x, y) : a.CompareTo(b)
            );
            items =
                sort[0] == '-'
                    ? items.OrderByDescending(item => Values.Key(column.Value(item)), compare)
                    : items.OrderBy(item => Values.Key(column.Value(item)), compare);
        }

        switch (_form.Of(parsed))
        {
            case OutputForm.Quiet:
                foreach (var item in items)
                {
                    await output.WriteLineAsync(_quiet(item));
                }

                break;
            case OutputForm.Table:
                var rows = items.Select(item => _columns.Select(c => c.TextOf(item)).ToList()).ToList();
                // Of nothing there is not even a heading; commands say on standard error that there is nothing.
                if (rows.Count > 0)
                {
                    Screen.WriteTable(output, [.. _columns.Select(c => (c.Name.Replace('_', ' '), c.IsNumber))], rows);
                }

                break;
            case var form:
                await OutputForm.WriteAsync(form, new JsonArray([.. items.Select(Json)]), output);
                break;
        }
    }

    private JsonObject Json(T item) =>
        new(_columns.Select(c => KeyValuePair.Create(c.Name, Values.Json(c.Value(item)))));

    private Column<T>? Find(string name) => _columns.FirstOrDefault(c => c.Name == name);

    private void Check(Action<string> addError, string text, string? name)
    {
        if (name is null)
        {
            addError($"'{text}' is no filter like {_columns[0].Name}=pattern");
        }
        else if (Find(name) is null)
        {
            addError($"There is no column '{name}': there are {string.Join(", ", _columns.Select(c => c.Name))}");
        }
    }
}
