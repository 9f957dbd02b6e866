using System.Security.Authentication;
using Azure;
using Azure.Identity;

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
            // A list of all the identities that there might be; on a developer's machine it is this one.
            AuthenticationFailedException => "Azure gives no token for an identity of yours: run `az login`",
            // "See inner exception", it says.
            { InnerException: AuthenticationException tls } => $"no secure connection: {First(tls)}",
            { InnerException.InnerException: AuthenticationException tls } => $"no secure connection: {First(tls)}",
            _ => First(error),
        };

    private static string First(Exception error) => error.Message.Split('\n')[0].Trim();
}
