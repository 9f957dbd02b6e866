using CsCheck;

namespace ImagesFunctions.Tests.Journal;

/// <summary>Which of the decisions that wait go into one transaction.</summary>
public sealed class PackingTests
{
    private const int MaxCharacters = 400_000;
    private const string Letters = "abcdefgh";

    private static readonly Gen<string[]> SomeKeys = Gen.Char[Letters]
        .Array[0, 2]
        .Select(keys => keys.Distinct().Select(key => $"{key}").ToArray());

    private static readonly Gen<Waiting> AnyWaiting = Gen.Select(
        SomeKeys,
        SomeKeys,
        SomeKeys,
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 8]),
        Gen.Int[0, 15],
        (reads, writes, announced, size, alone) =>
            new Waiting(reads, writes, announced)
            {
                From = size.Item2 < 2 ? Letters[size.Item2..] : "",
                OtherRows = size.Item2 == 3 ? size.Item1 : 0,
                Characters = size.Item2 == 4 ? size.Item1 * 10_000 : 0,
                GoesAlone = alone == 0,
            }
    );

    [Fact]
    public async Task A_pack_keeps_the_order_touches_nothing_twice_fits_and_leaves_nothing_out_for_no_reason()
    {
        await AnyWaiting
            .Array[1, 12]
            .SampleAsync(
                async waiting =>
                {
                    var open = await Task.WhenAll(waiting.Select((w, i) => w.ToPendingAsync(i)));
                    var places = Packing.Pack(open).ConvertAll(p => Array.IndexOf(open, p));

                    Assert.Equal(0, places[0]);
                    Assert.Equal(places.Order().Distinct(), places);
                    Assert.True(places.Count == 1 || places.TrueForAll(p => !waiting[p].GoesAlone));
                    Assert.InRange(places.Sum(p => open[p].Changes.Count), 0, Change.MaxRows);
                    Assert.True(places.Count == 1 || places.Sum(p => LengthOf(open[p])) <= MaxCharacters);
                    for (var i = 0; i < waiting.Length; i++)
                    {
                        var before = places.TakeWhile(p => p < i).ToList();
                        var touches = before.Exists(p => waiting[i].IsTouchedBy(waiting[p]));
                        if (places.Contains(i))
                        {
                            Assert.False(touches);
                        }
                        else
                        {
                            Assert.True(touches || !Fits(open, before, i));
                        }
                    }
                },
                iter: 2_000,
                threads: 1
            );
    }

    [Theory]
    // What the first does | what the second does | whether they go together.
    [InlineData("writes a", "writes b", true)]
    [InlineData("reads a", "reads a", true)]
    [InlineData("writes a", "writes a", false)]
    [InlineData("writes a", "reads a", false)]
    [InlineData("writes a", "scans a", false)]
    [InlineData("writes d", "scans a", true)]
    [InlineData("writes c", "scans a", false)]
    [InlineData("announces a", "reads a", false)]
    [InlineData("announces a", "announces a", true)]
    [InlineData("announces a", "writes a", false)]
    // The second may change what the first has read: the first counts as made before it.
    [InlineData("reads a", "writes a", true)]
    [InlineData("scans a", "writes b", true)]
    [InlineData("reads a", "announces a", true)]
    [InlineData("alone", "writes b", false)]
    [InlineData("writes a", "alone", false)]
    public async Task Two_go_together_unless_the_second_would_have_seen_the_first(
        string first,
        string second,
        bool together
    )
    {
        PendingDecision[] open = [await DoingAsync(first), await DoingAsync(second)];
        Assert.Equal(together ? open : open[..1], Packing.Pack(open));
    }

    [Theory]
    [InlineData(98, 0, 1)]
    [InlineData(97, 0, 2)]
    [InlineData(60, 0, 2)]
    [InlineData(0, 399_000, 2)]
    [InlineData(0, 400_000, 1)]
    [InlineData(0, 900_000, 1)]
    public async Task A_pack_has_98_rows_and_400_000_characters_unless_one_decision_has_more(
        int rows,
        int characters,
        int packed
    )
    {
        var first = new Waiting([], ["a"], []) { OtherRows = Math.Max(rows - 1, 0), Characters = characters };
        PendingDecision[] open = [await first.ToPendingAsync(0), await new Waiting([], ["b"], []).ToPendingAsync(1)];
        Assert.Equal(packed, Packing.Pack(open).Count);
    }

    [Fact]
    public async Task One_that_does_not_fit_does_not_keep_those_behind_it_out()
    {
        PendingDecision[] open =
        [
            await new Waiting([], ["a"], []) { OtherRows = 90 }.ToPendingAsync(0),
            await new Waiting([], ["b"], []) { OtherRows = 20 }.ToPendingAsync(1),
            await new Waiting(["a"], ["c"], []).ToPendingAsync(2),
            await new Waiting([], ["d"], []).ToPendingAsync(3),
        ];
        Assert.Equal([open[0], open[3]], Packing.Pack(open));
    }

    private static int LengthOf(PendingDecision pending) =>
        pending.Changes.Sum(c => c.Length) + pending.View.WrittenKeys.Sum(key => key.Length);

    // Announced keys take no row, but they are counted as if: a pack is a little shorter for it.
    private static bool Fits(PendingDecision[] open, List<int> before, int next) =>
        before.Append(next).All(p => !open[p].GoesAlone)
        && before.SelectMany(p => open[p].Changes.Select(c => c.Key).Union(open[p].View.WrittenKeys)).Distinct().Count()
            + open[next].Changes.Count
            <= Change.MaxRows
        && before.Append(next).Sum(p => LengthOf(open[p])) <= MaxCharacters;

    private static Task<PendingDecision> DoingAsync(string what) =>
        (
            what.Split(' ') switch
            {
                ["reads", var key] => new Waiting([key], [], []),
                ["writes", var key] => new Waiting([], [key], []),
                ["announces", var key] => new Waiting([], [], [key]),
                ["scans", _] => new Waiting([], [], []) { From = "abc" },
                _ => new Waiting([], [], []) { GoesAlone = true },
            }
        ).ToPendingAsync(0);

    /// <summary>A decision that waits: the keys that it reads, writes, and announces as written.</summary>
    private sealed record Waiting(string[] Reads, string[] Writes, string[] Announced)
    {
        /// <summary>The letters of a range that it reads; "" for none.</summary>
        public string From { get; init; } = "";

        /// <summary>How many rows it writes that no other knows.</summary>
        public int OtherRows { get; init; }

        /// <summary>How long one of its rows is.</summary>
        public int Characters { get; init; }

        public bool GoesAlone { get; init; }

        // Said anew, in the simplest words: nothing is asked of the code that is tested.
        public bool IsTouchedBy(Waiting earlier) =>
            earlier
                .Writes.Concat(earlier.Announced)
                .Any(key =>
                    Reads.Contains(key) || Writes.Contains(key) || From.Contains(key, StringComparison.Ordinal)
                );

        public async Task<PendingDecision> ToPendingAsync(int number)
        {
            var view = new DecisionView(new MemoryTable(), "p", 0);
            foreach (var key in Reads)
            {
                await view.GetAsync(key, TestContext.Current.CancellationToken);
            }

            if (From.Length > 0)
            {
                var range = new KeyRange(From[..1], $"{(char)(From[^1] + 1)}");
                await view.RangeAsync(range, TestContext.Current.CancellationToken);
            }

            Array.ForEach(Announced, view.AddWrittenKey);
            IEnumerable<string> keys = [.. Writes, .. Enumerable.Range(0, OtherRows).Select(i => $"z{number}-{i}")];
            var text = new string('x', Characters);
            return new PendingDecision(
                view,
                [.. keys.Select((key, i) => new Change(key, new TableRow(key) { ["text"] = i == 0 ? text : "" }))]
            )
            {
                GoesAlone = GoesAlone,
            };
        }
    }
}
