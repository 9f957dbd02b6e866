namespace ImagesFunctions.Tests.Support;

/// <summary>The service was too busy to answer: who waits for something asks again.</summary>
public sealed class AskAgainException(string answer) : Exception(answer);

/// <summary>Waits for a condition with a deadline: the only waiting there is in the tests.</summary>
public static class Until
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    /// <summary>The first answer of <paramref name="look"/> that is not null. Past the deadline the test fails with what <paramref name="explain"/> says.</summary>
    public static async Task<T> SomeAsync<T>(Func<Task<T?>> look, Func<Task<string>> explain, TimeSpan? allowed = null)
        where T : class
    {
        using var deadline = Deadline.In(allowed);
        try
        {
            while (true)
            {
                try
                {
                    // A look that hangs is waited for no longer than the condition.
                    if (await look().WaitAsync(deadline.Token) is { } found)
                    {
                        return found;
                    }
                }
                catch (AskAgainException) when (!deadline.HasPassed)
                {
                    // As a client of a busy service does.
                }

                await Task.Delay(s_pause, deadline.Token);
            }
        }
        catch (OperationCanceledException)
            when (deadline.HasPassed && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Assert.Fail($"{deadline} in vain. {await explain()}");
            throw;
        }
    }

    public static Task TrueAsync(Func<Task<bool>> condition, Func<Task<string>> explain, TimeSpan? allowed = null) =>
        SomeAsync(async () => await condition() ? "" : null, explain, allowed);

    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? allowed = null) =>
        TrueAsync(() => Task.FromResult(condition()), () => Task.FromResult($"Not yet: {what}."), allowed);
}
