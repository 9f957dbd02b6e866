using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary>What the timer trigger is in the cloud: sweeps once in <c>SweepInterval</c> (default <c>1h</c>; <c>0m</c>: never).</summary>
public sealed class SweepTimer(
    ImagesApp images,
    IConfiguration configuration,
    TimeProvider time,
    ILogger<SweepTimer> log
) : BackgroundService
{
    /// <summary>The setting of the interval, a duration like <c>1h</c>.</summary>
    public const string IntervalSetting = "SweepInterval";

    private readonly TimeSpan _interval = Setting.Time(configuration, IntervalSetting, TimeSpan.FromHours(1));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_interval == TimeSpan.Zero)
        {
            return;
        }

        // Timers take at most 49 days.
        var period = _interval < TimeSpan.FromDays(49) ? _interval : TimeSpan.FromDays(49);
        using var timer = new PeriodicTimer(period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await images.SweepAsync(stoppingToken);
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogError(error, "A sweep failed; the next one is in {Interval}", period);
            }
        }
    }
}
