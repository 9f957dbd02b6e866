using System.Globalization;
using System.Threading.RateLimiting;
using ImagesFunctions.Settings;
using ImagesFunctions.Telemetry;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Accounts;

/// <summary>A request over a limit: it is answered with 429.</summary>
/// <param name="message">For the caller; the same whoever asks.</param>
/// <param name="retryAfter">When there is room again.</param>
internal sealed class TooManyRequestsException(string message, TimeSpan retryAfter) : Exception(message)
{
    /// <summary>As the header says it: whole seconds, one at least.</summary>
    public string RetryAfterSeconds =>
        Math.Max(1, Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// How much one account may ask for, and how often logins may fail. Each instance counts for itself. Whatever names or
/// addresses are made up, the memory is bounded: they share a fixed number of buckets, chosen anew by each process so that
/// nobody can aim at another's.
/// </summary>
internal sealed class Limits : IDisposable
{
    /// <summary>Setting: requests that an account may send a minute; that many at once, too. 0: no limit.</summary>
    public const string RequestsSetting = "RequestsPerMinute";

    /// <summary>Setting: logins that may fail a minute from one address, and for one claimed account. 0: no limit.</summary>
    public const string FailuresSetting = "FailedLoginsPerMinute";

    /// <summary>Setting: requests without a login for official images a minute from one address. 0: none is answered.</summary>
    public const string AnonymousSetting = "AnonymousRequestsPerMinute";

    private const int DefaultRequests = 1_200_000;
    private const int DefaultFailures = 600;
    private const int MaxPerMinute = 1_000_000_000;
    private const int Buckets = 16_384;

    private readonly PartitionedRateLimiter<string>? _requests;
    private readonly PartitionedRateLimiter<string>? _addresses;
    private readonly PartitionedRateLimiter<string>? _claimed;
    private readonly PartitionedRateLimiter<string>? _anonymous;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidSettingException">One of them is no whole number of 0 to 1,000,000,000.</exception>
    public Limits(IConfiguration configuration)
        : this(RequestsOf(configuration), FailuresOf(configuration), AnonymousOf(configuration)) { }

    /// <summary>Limits of so many a minute; 0: none, but of <paramref name="anonymous"/>, where it lets nobody in.</summary>
    public Limits(int requests, int failures, int anonymous = 0)
    {
        _requests = Limiter(requests);
        _addresses = Limiter(failures);
        _claimed = Limiter(failures);
        _anonymous = Limiter(anonymous);
    }

    /// <summary>Whether official images are read without a login.</summary>
    public bool AllowsAnonymous => _anonymous is not null;

    /// <summary>Reads <see cref="RequestsSetting"/>.</summary>
    /// <exception cref="InvalidSettingException">It is no whole number of 0 to 1,000,000,000.</exception>
    public static int RequestsOf(IConfiguration configuration) =>
        Setting.Number(configuration, RequestsSetting, DefaultRequests, MaxPerMinute);

    /// <summary>Reads <see cref="FailuresSetting"/>.</summary>
    /// <exception cref="InvalidSettingException">It is no whole number of 0 to 1,000,000,000.</exception>
    public static int FailuresOf(IConfiguration configuration) =>
        Setting.Number(configuration, FailuresSetting, DefaultFailures, MaxPerMinute);

    /// <summary>Reads <see cref="AnonymousSetting"/>.</summary>
    /// <exception cref="InvalidSettingException">It is no whole number of 0 to 1,000,000,000.</exception>
    public static int AnonymousOf(IConfiguration configuration) =>
        Setting.Number(configuration, AnonymousSetting, 0, MaxPerMinute);

    /// <summary>Counts a request without a login.</summary>
    /// <exception cref="TooManyRequestsException">The address sends too many.</exception>
    public void Anonymous(string address) =>
        Demand(_anonymous, address, "anonymous", "Too many requests without a login: log in, or wait.");

    /// <summary>Counts a request of an account that showed a valid token.</summary>
    /// <exception cref="TooManyRequestsException">The account sends too many.</exception>
    public void Request(string account) =>
        Demand(_requests, account, "account", "This account sends too many requests: wait.");

    /// <summary>Refuses an address from which too many logins failed.</summary>
    /// <exception cref="TooManyRequestsException">It has to wait, whatever its credentials are.</exception>
    public void Login(string address)
    {
        // Nothing is taken before it is known that the login fails.
        if (_addresses?.GetStatistics(address) is { CurrentAvailablePermits: 0 })
        {
            Demand(_addresses, address, "address", TooManyFailures);
        }
    }

    /// <summary>Counts a login that failed.</summary>
    /// <param name="address">Where it came from.</param>
    /// <param name="claimed">The account that it named, or null. Whether there is one makes no difference.</param>
    /// <exception cref="TooManyRequestsException">Too many failed: this answer instead of "no valid token".</exception>
    public void Failed(string address, string? claimed)
    {
        // Both count it, also where the first one says no.
        var over = Take(_addresses, address) ?? TimeSpan.Zero;
        var overClaimed = claimed is null ? TimeSpan.Zero : Take(_claimed, claimed) ?? TimeSpan.Zero;
        var wait = over > overClaimed ? over : overClaimed;
        if (wait > TimeSpan.Zero)
        {
            Metrics.Limited("login");
            throw new TooManyRequestsException(TooManyFailures, wait);
        }
    }

    public void Dispose()
    {
        _requests?.Dispose();
        _addresses?.Dispose();
        _claimed?.Dispose();
        _anonymous?.Dispose();
    }

    private const string TooManyFailures = "Too many logins failed: wait, and look whether the token is right.";

    private static void Demand(PartitionedRateLimiter<string>? limiter, string key, string name, string message)
    {
        if (Take(limiter, key) is { } wait)
        {
            Metrics.Limited(name);
            throw new TooManyRequestsException(message, wait);
        }
    }

    // How long to wait, or null.
    private static TimeSpan? Take(PartitionedRateLimiter<string>? limiter, string key)
    {
        if (limiter is null)
        {
            return null;
        }

        using var lease = limiter.AttemptAcquire(key);
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.Zero ? wait
            : TimeSpan.FromSeconds(1);
    }

    private static PartitionedRateLimiter<string>? Limiter(int perMinute)
    {
        if (perMinute == 0)
        {
            return null;
        }

        var tokens = Math.Max(1, perMinute / 60);
        var options = new TokenBucketRateLimiterOptions
        {
            TokenLimit = perMinute,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromMinutes((double)tokens / perMinute),
            AutoReplenishment = false,
            QueueLimit = 0,
        };
        return PartitionedRateLimiter.Create<string, int>(key =>
            RateLimitPartition.GetTokenBucketLimiter(Bucket(key), _ => options)
        );
    }

    // Text hashes differently in each process.
    private static int Bucket(string key) => (int)((uint)string.GetHashCode(key, StringComparison.Ordinal) % Buckets);
}
