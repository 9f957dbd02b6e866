namespace ImagesFunctions.Storage;

/// <summary>
/// Counts the requests to storage that an operation sends, retries too, whichever client sends them: for those who have a budget of
/// them. What others have asked for and the operation only waits for is not counted.
/// </summary>
internal sealed class RequestCount
{
    private static readonly AsyncLocal<RequestCount?> s_current = new();

    private int _sent;

    private RequestCount() { }

    /// <summary>How many were sent since the count began.</summary>
    public int Sent => Volatile.Read(ref _sent);

    /// <summary>Begins to count what the calling method awaits from now on; what it has begun before belongs to no count, or to an earlier one.</summary>
    public static RequestCount Begin() => s_current.Value = new RequestCount();

    /// <summary>A request is sent.</summary>
    public static void Add()
    {
        if (s_current.Value is { } count)
        {
            Interlocked.Increment(ref count._sent);
        }
    }
}
