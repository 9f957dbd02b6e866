using Azure;

namespace ImagesFunctions.Local;

/// <summary>What a person reads instead of a stack trace.</summary>
internal static class OneLine
{
    /// <summary>The cause in one line.</summary>
    public static string Of(Exception error) =>
        error switch
        {
            // The SDK's message is a page of headers; when it gave up after retries, it is a list of equal causes.
            RequestFailedException { Status: > 0 } refused =>
                $"the storage account answered {refused.Status} {refused.ErrorCode}".TrimEnd(),
            AggregateException { InnerExceptions: [.., var last] } => Of(last),
            _ => error.Message.Split('\n')[0].Trim(),
        };
}
