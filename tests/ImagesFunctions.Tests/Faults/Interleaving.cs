namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Two processes on one namespace. The first is held before one of its storage calls, the second runs from beginning to
/// end, the first goes on.
/// </summary>
internal static class Interleaving
{
    public const string Namespace = "alice";
    public const string Repo = "alice/web";

    // Where all calls are tried, so many are with both kinds of process; of more, every other one is.
    private const int Few = 40;

    private const int Sample = 7;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private sealed record Plan(
        Func<Node, Task> Prepare,
        Func<Node, Task> First,
        Func<Node, Task> Second,
        Action<string[]> Check,
        bool Between
    );

    /// <summary>Once for every call of the first, or for a sample of them.</summary>
    /// <param name="layout">What is dropped and taken in before, unless <paramref name="prepare"/> says otherwise.</param>
    /// <param name="first">What the first does.</param>
    /// <param name="second">What the second does meanwhile.</param>
    /// <param name="check">What must hold for the list in the end.</param>
    /// <param name="prepare">What happens before.</param>
    /// <param name="between">Whether the invariants hold as soon as the second has ended.</param>
    /// <param name="every">Of many calls, only each so many-th is tried, each time from a random one on.</param>
    public static async Task EachAsync(
        Layout layout,
        Func<Node, Task> first,
        Func<Node, Task> second,
        Action<string[]> check,
        Func<Node, Task>? prepare = null,
        bool between = true,
        int every = Sample
    )
    {
        prepare ??= async node =>
        {
            await node.PutAsync(Repo, layout);
            await node.StartAsync();
        };
        var plan = new Plan(prepare, first, second, check, between);
        every = LongFactAttribute.Every(every);
        var calls = 1;
        for (var call = 1 + Random.Shared.Next(every); call <= Math.Max(calls, every); call += every)
        {
            foreach (var warm in Kinds(call, calls))
            {
                calls = Math.Max(calls, await OnceAsync(plan, call, warm));
            }
        }
    }

    // A process that has committed to the namespace before remembers it; one that has not reads it first.
    private static bool[] Kinds(int call, int calls) =>
        !LongFactAttribute.IsRunning ? [Random.Shared.Next(2) == 0]
        : call % 2 == 0 || calls <= Few ? [true, false]
        : [true];

    /// <summary>Returns how many calls the first has made.</summary>
    private static async Task<int> OnceAsync(Plan plan, int call, bool warm)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var a = new Node(connection);
        await using var b = new Node(connection);
        await plan.Prepare(b);
        if (warm)
        {
            await a.Catalog.CommitAsync(
                Namespace,
                (view, _) => Task.FromResult(Decision.Of(0, [new Change("j!x", new TableRow("j!x"))])),
                Stop
            );
        }

        var before = a.Calls.Count;
        a.Calls.RunBefore(
            before + call,
            async () =>
            {
                await plan.Second(b);
                if (plan.Between)
                {
                    await Invariants.HoldAsync(b, Namespace);
                }
            }
        );
        await plan.First(a);
        var made = a.Calls.Count - before;
        if (made >= call)
        {
            await CheckAsync(
                plan,
                connection,
                $"the second ran before call {call} of {(warm ? "a warm" : "a cold")} first"
            );
        }

        return made;
    }

    private static async Task CheckAsync(Plan plan, string connection, string what)
    {
        await using var reader = new Node(connection);
        var listed = await reader.ListedAsync(Namespace);
        try
        {
            plan.Check(listed);
            await Invariants.SettledAsync(reader, Namespace);
        }
        catch (Exception error)
        {
            Assert.Fail($"{what}. Listed: [{string.Join("; ", listed)}]. {error}");
        }
    }
}
