using ImagesFunctions.Exploration.Histories;

namespace ImagesFunctions.Tests.Exploration;

// Not the folder of that name.
using Operation = global::ImagesFunctions.Exploration.Histories.Operation;

/// <summary>Histories that have an explanation, and such that have none.</summary>
public sealed class HistoryCheckTests
{
    [Fact]
    public void One_after_the_other_explains_itself() =>
        IsExplained(
            Put("a", "1", 0, 1),
            Get("a", "1", 2, 3),
            List(4, 5, ("a", "1")),
            Delete("a", 6, 7),
            Get("a", null, 8, 9),
            List(10, 11)
        );

    [Fact]
    public void A_read_may_see_a_push_before_its_answer_and_need_not() =>
        IsExplained(
            Put("a", "1", 0, 9),
            Get("a", "1", 1, 2),
            Get("a", "1", 3, 4),
            Put("b", "2", 0, 9),
            Get("b", null, 1, 2)
        );

    [Fact]
    public void A_stale_read_is_found() =>
        IsNotExplained("the tag a", Put("a", "1", 0, 1), Put("a", "2", 2, 3), Get("a", "1", 4, 5));

    [Fact]
    public void A_read_that_goes_back_is_found() =>
        IsNotExplained("the tag a", Put("a", "1", 0, 9), Get("a", "1", 1, 2), Get("a", null, 3, 4));

    [Fact]
    public void A_value_that_nobody_pushed_is_found() => IsNotExplained("the tag a", Get("a", "1", 0, 1));

    [Fact]
    public void A_list_of_two_moments_is_found() =>
        IsNotExplained(
            "the tags together",
            Put("a", "1", 0, 1),
            Put("b", "1", 2, 3),
            Put("a", "2", 4, 5),
            Put("b", "2", 6, 7),
            // b is newer than a: there was no such moment.
            List(0, 9, ("a", "1"), ("b", "2"))
        );

    [Fact]
    public void A_list_that_is_older_than_its_request_is_found() =>
        IsNotExplained("the tags together", Put("a", "1", 0, 1), Delete("a", 2, 3), List(4, 5, ("a", "1")));

    [Fact]
    public void Two_lists_that_disagree_about_the_order_are_found() =>
        IsNotExplained(
            "the tags together",
            Put("a", "1", 0, 9),
            Put("b", "1", 0, 9),
            List(0, 9, ("a", "1")),
            List(0, 9, ("b", "1"))
        );

    [Fact]
    public void What_has_no_answer_may_take_effect_late_or_never()
    {
        var unknown = Put("a", "2", 0, 0) with { Outcome = OperationOutcome.Unknown };
        IsExplained(unknown, Put("a", "1", 1, 2), Get("a", "1", 3, 4), Get("a", "2", 5, 6));
        IsExplained(unknown, Put("a", "1", 1, 2), Get("a", "1", 3, 4));
        // But once.
        IsNotExplained(
            "the tag a",
            unknown,
            Get("a", "2", 1, 2),
            Put("a", "1", 3, 4),
            Get("a", "1", 5, 6),
            Get("a", "2", 7, 8)
        );
    }

    [Fact]
    public void A_deleted_image_takes_its_tags_at_one_moment()
    {
        Operation[] before = [Put("a", "1", 0, 1), Put("b", "1", 2, 3), Put("c", "2", 4, 5)];
        var delete = new Operation(OperationKind.DeleteImage, 6, 9, OperationOutcome.Ok) { Value = "1" };
        IsExplained([.. before, delete, Get("a", null, 10, 11), List(10, 11, ("c", "2"))]);
        IsNotExplained("the tags together", [.. before, delete, List(6, 9, ("a", "1"), ("c", "2"))]);
        IsNotExplained("the tag c", [.. before, delete, Get("c", null, 10, 11)]);
    }

    [Fact]
    public void What_was_refused_says_nothing() =>
        IsExplained(Put("a", "1", 0, 1) with { Outcome = OperationOutcome.Failed }, Get("a", null, 2, 3));

    /// <summary>Histories of a registry that is one, with one read too old put into each.</summary>
    [Fact]
    public void Random_histories_are_explained_until_one_read_is_changed()
    {
        var changed = 0;
        for (var seed = 1; seed <= 30; seed++)
        {
            var random = new Random(seed);
            var history = Simulated(random, operations: 300, tags: 5, clients: 6);
            IsExplained(history);
            foreach (var read in history.Where(o => o is { Op: OperationKind.Get, Value: not null }))
            {
                // What was overwritten before the read began.
                var now = Array.Find(history, o => o.Op == OperationKind.Put && o.Value == read.Value)!;
                var old = Array.Find(history, o => o.Op == OperationKind.Put && o.Tag == read.Tag && o.End < now.Start);
                if (now.End < read.Start && old is not null)
                {
                    var stale = history.Select(o => o == read ? read with { Value = old.Value } : o);
                    Assert.StartsWith("the tag", HistoryCheck.Run([.. stale]), StringComparison.Ordinal);
                    changed++;
                    break;
                }
            }
        }

        Assert.InRange(changed, 20, 30);
    }

    [Fact]
    public void A_history_is_read_as_it_was_written()
    {
        Operation[] history =
        [
            Put("alice/web:v1", "sha256:1", 1, 2),
            Get("alice/web:v1", null, 3, 4),
            List(5, 6, ("alice/web:v1", "sha256:1")),
            Put("alice/web:v1", "sha256:1", 1, 2) with
            {
                Outcome = OperationOutcome.Unknown,
            },
        ];
        Assert.Equal(history.Select(o => $"{o}"), history.Select(o => $"{Operation.Parse($"{o}")}"));
        Assert.Equal(
            """{"op":"put","start":1,"end":2,"outcome":"ok","tag":"alice/web:v1","value":"sha256:1"}""",
            $"{history[0]}"
        );
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("no JSON")]
    [InlineData("""{"op":"put","start":1,"end":2,"outcome":"ok","tag":"a"}""")]
    [InlineData("""{"op":"get","start":3,"end":2,"outcome":"ok","tag":"a"}""")]
    [InlineData("""{"op":"list","start":1,"end":2,"outcome":"ok"}""")]
    [InlineData("""{"op":"look","start":1,"end":2,"outcome":"ok","tag":"a"}""")]
    public void What_is_not_an_operation_is_refused(string line) =>
        Assert.Throws<FormatException>(() => Operation.Parse(line));

    private static Operation Put(string tag, string value, long start, long end) =>
        new(OperationKind.Put, start, end, OperationOutcome.Ok) { Tag = tag, Value = value };

    private static Operation Delete(string tag, long start, long end) =>
        new(OperationKind.Delete, start, end, OperationOutcome.Ok) { Tag = tag };

    private static Operation Get(string tag, string? value, long start, long end) =>
        new(OperationKind.Get, start, end, OperationOutcome.Ok) { Tag = tag, Value = value };

    private static Operation List(long start, long end, params (string Tag, string Value)[] tags) =>
        new(OperationKind.List, start, end, OperationOutcome.Ok)
        {
            Tags = tags.ToDictionary(t => t.Tag, t => t.Value, StringComparer.Ordinal),
        };

    private static void IsExplained(params Operation[] history) => Assert.Null(HistoryCheck.Run(history));

    private static void IsNotExplained(string what, params Operation[] history) =>
        Assert.StartsWith(what, HistoryCheck.Run(history), StringComparison.Ordinal);

    // Each operation takes effect at a moment between its start and its end.
    private static Operation[] Simulated(Random random, int operations, int tags, int clients)
    {
        var free = new long[clients];
        var open = new List<(long At, Operation Operation)>();
        for (var i = 0; i < operations; i++)
        {
            var client = random.Next(clients);
            var start = free[client] + random.Next(1, 10);
            var (at, end) = (start + random.Next(1, 10), start + random.Next(10, 20));
            free[client] = end;
            var tag = $"t{random.Next(tags)}";
            open.Add(
                (
                    at,
                    random.Next(10) switch
                    {
                        < 4 => Put(tag, $"{i}", start, end),
                        4 => Delete(tag, start, end),
                        5 => new Operation(OperationKind.DeleteImage, start, end, OperationOutcome.Ok)
                        {
                            Value = $"{random.Next(i + 1)}",
                        },
                        < 9 => Get(tag, null, start, end),
                        _ => List(start, end),
                    }
                )
            );
        }

        var now = new Dictionary<string, string>(StringComparer.Ordinal);
        return [.. open.OrderBy(o => o.At).Select(o => Done(o.Operation, now))];
    }

    private static Operation Done(Operation operation, Dictionary<string, string> now)
    {
        switch (operation.Op)
        {
            case OperationKind.Put:
                now[operation.Tag!] = operation.Value!;
                return operation;
            case OperationKind.Delete:
                now.Remove(operation.Tag!);
                return operation;
            case OperationKind.DeleteImage:
                foreach (var tag in now.Where(t => t.Value == operation.Value).Select(t => t.Key).ToList())
                {
                    now.Remove(tag);
                }

                return operation;
            case OperationKind.Get:
                return operation with { Value = now.GetValueOrDefault(operation.Tag!) };
            default:
                return operation with { Tags = new Dictionary<string, string>(now, StringComparer.Ordinal) };
        }
    }
}
