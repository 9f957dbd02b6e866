using ImagesFunctions.GarbageCollection;
using Microsoft.Azure.Functions.Worker;

namespace ImagesFunctions.App;

/// <summary>
/// Removes what nobody needs, again and again: the app setting <c>SweepSchedule</c> says when, as <c>0 0 * * * *</c>, which is
/// once an hour. The host runs a timer on one instance at a time. What throws is tried again at the next time.
/// </summary>
public sealed class Sweep(Sweeper sweeper)
{
    [Function(nameof(Sweep))]
    public Task Run([TimerTrigger("%SweepSchedule%")] TimerInfo timer, CancellationToken stop) =>
        sweeper.RunAsync(stop);
}
