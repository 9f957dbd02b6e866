using System.Diagnostics;

namespace ImagesFunctions.Tests;

/// <summary>Waits for a condition with a deadline: the only waiting there is in the tests.</summary>
public static class Until
{
    /// <summary>Generous, so that a busy machine does not fail a test; a healthy run needs a second.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>The first answer of <paramref name="look"/> that is not null. Past the deadline the test fails with what <paramref name="explain"/> says.</summary>
    public static async Task<T> SomeAsync<T>(Func<Task<T?>> look, Func<Task<string>> explain, TimeSpan? deadline = null)
        where T : class
    {
        var longest = deadline ?? Deadline;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (await look() is { } found)
            {
                return found;
            }

            if (clock.Elapsed > longest)
            {
                Assert.Fail($"Waited {longest.TotalSeconds:0} s in vain. {await explain()}");
            }

            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    public static Task TrueAsync(Func<Task<bool>> condition, Func<Task<string>> explain, TimeSpan? deadline = null) =>
        SomeAsync(async () => await condition() ? "" : null, explain, deadline);
}
