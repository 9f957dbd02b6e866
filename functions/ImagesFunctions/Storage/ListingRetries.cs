using System.Runtime.CompilerServices;
using System.Xml;
using Azure;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>Listings for those for whom no client waits.</summary>
internal static class ListingRetries
{
    private const int MaxTries = 8;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The same items; where storage is too busy for a page, even after the SDK's own tries, it is asked for again and again,
    /// for two minutes at most. So a long listing does not begin anew because of one page.
    /// </summary>
    /// <exception cref="RequestFailedException">Storage did not answer in all that time.</exception>
    public static async IAsyncEnumerable<T> WithRetries<T>(
        this AsyncPageable<T> listing,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
        where T : notnull
    {
        string? next = null;
        var failures = 0;
        do
        {
            Page<T>? page = null;
            try
            {
                await foreach (var one in listing.AsPages(next).WithCancellation(cancellationToken))
                {
                    page = one;
                    break;
                }
            }
            catch (Exception error)
                when (failures < MaxTries - 1
                    && StorageErrors.IsUnclear(error)
                    // Perhaps for ever: a name with a control character makes a page that cannot be read.
                    && error is not XmlException
                    && !cancellationToken.IsCancellationRequested
                )
            {
                failures++;
                await Backoff.DelayAsync(failures, FirstDelay, MaxDelay, cancellationToken);
                continue;
            }

            failures = 0;
            foreach (var item in page?.Values ?? [])
            {
                yield return item;
            }

            next = page?.ContinuationToken;
        } while (failures > 0 || !string.IsNullOrEmpty(next));
    }
}
