using Azure;
using Azure.Identity;

namespace ImagesFunctions.Local;

/// <summary>One look of the doctor, which ends in time and always says something.</summary>
internal static class Look
{
    /// <summary>How long one look may take, its repeated requests included.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Looks. What cannot be asked is one check that says why; only the caller's own cancellation is thrown.</summary>
    /// <param name="name">The check, where the look itself comes to none.</param>
    /// <param name="deadline">How long it may take.</param>
    /// <param name="look">Looks.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <param name="denied">What it means that the right is missing; null: that is not known.</param>
    public static async Task<IReadOnlyList<Check>> AtAsync(
        string name,
        TimeSpan deadline,
        Func<CancellationToken, Task<IReadOnlyList<Check>>> look,
        CancellationToken cancellationToken,
        Func<RequestFailedException, Check>? denied = null
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(deadline);
        try
        {
            // Holds even where a client forgets its token.
            return await look(patience.Token).WaitAsync(patience.Token);
        }
        catch (RequestFailedException error) when (IsDenied(error) && denied is not null)
        {
            return [denied(error)];
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return
            [
                patience.IsCancellationRequested
                    ? new Check(name, Check.Unknown, $"no answer within {deadline.TotalSeconds:0.#} s")
                    : Unknown(name, error),
            ];
        }
    }

    /// <summary>Whether storage has refused us.</summary>
    public static bool IsDenied(RequestFailedException error) =>
        error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden;

    private static Check Unknown(string name, Exception error) =>
        error switch
        {
            AuthenticationFailedException => new Check(name, Check.Unknown, OneLine.Of(error), "az login"),
            ManagementException { Mend: { } mend } => new Check(name, Check.Unknown, OneLine.Of(error), mend),
            _ => new Check(name, Check.Unknown, OneLine.Of(error)),
        };
}
