namespace ImagesFunctions.Local;

/// <summary>Checks of the app settings of a function app.</summary>
/// <param name="mends">The commands.</param>
/// <param name="account">The account of images.</param>
/// <param name="service">An address in it.</param>
internal sealed class SettingChecks(Mends mends, string account, Uri service)
{
    // Second, minute, hour, day, month, day of the week.
    private const int ScheduleFields = 6;

    /// <summary>Looks at those of the trigger of blobs, those of the timer, and the rest.</summary>
    public IReadOnlyList<Check> Of(IReadOnlyDictionary<string, string> settings) =>
        [
            OfEvents(settings)
                .ToCheck(
                    $"trigger {Expected.EventFunction}",
                    $"by events, on {account}; {Expected.ScanFunction} is off"
                ),
            OfTimer(settings)
                .ToCheck($"trigger {Expected.TimerFunction}", settings.GetValueOrDefault(Expected.Schedule) ?? ""),
            OfHost(settings).ToCheck("app settings", "as deployed"),
        ];

    private Findings OfEvents(IReadOnlyDictionary<string, string> settings)
    {
        var found = new Findings();
        DemandOn(found, settings, Expected.EventFunction);
        foreach (var (name, kind) in Expected.Services)
        {
            var expected = service.Host.Replace(".blob.", $".{kind}.", StringComparison.Ordinal);
            if (
                !Uri.TryCreate(settings.GetValueOrDefault(name), UriKind.Absolute, out var given)
                || given.Host != expected
            )
            {
                found.Fail(
                    given is null ? $"{name} is missing" : $"{name} is {given}: another account",
                    mends.Set(name, $"https://{expected}/")
                );
            }
        }

        DemandValues(found, settings, name => IsOfEvents(name));
        DemandNeeded(found, settings, IsOfEvents);
        return found;
    }

    private Findings OfTimer(IReadOnlyDictionary<string, string> settings)
    {
        var found = new Findings();
        DemandOn(found, settings, Expected.TimerFunction);
        var schedule = settings.GetValueOrDefault(Expected.Schedule) ?? "";
        if (schedule.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length != ScheduleFields)
        {
            found.Fail(
                schedule.Length == 0
                    ? $"{Expected.Schedule} is missing"
                    : $"{Expected.Schedule} is '{schedule}', and has to be six fields",
                mends.Set(Expected.Schedule, Expected.UsualSchedule)
            );
        }

        return found;
    }

    private Findings OfHost(IReadOnlyDictionary<string, string> settings)
    {
        var found = new Findings();
        string[] others = [Expected.EventFunction, Expected.ScanFunction, Expected.TimerFunction];
        foreach (var function in Expected.Functions.Except(others, StringComparer.Ordinal))
        {
            DemandOn(found, settings, function);
        }

        DemandValues(found, settings, name => !IsOfEvents(name));
        DemandNeeded(found, settings, name => !IsOfEvents(name) && name != Expected.Schedule);
        return found;
    }

    private static bool IsOfEvents(string name) =>
        name.StartsWith("ImagesStorage", StringComparison.Ordinal)
        || name.StartsWith($"AzureWebJobs.{Expected.ScanFunction}.", StringComparison.Ordinal);

    private void DemandOn(Findings found, IReadOnlyDictionary<string, string> settings, string function)
    {
        if (Expected.IsOff(settings, function))
        {
            found.Fail($"the function {function} is switched off", mends.Unset($"AzureWebJobs.{function}.Disabled"));
        }
    }

    private void DemandValues(Findings found, IReadOnlyDictionary<string, string> settings, Func<string, bool> isOne)
    {
        foreach (var (name, value) in Expected.Settings.Where(s => isOne(s.Key)))
        {
            var given = settings.GetValueOrDefault(name);
            if (!value.Equals(given, StringComparison.OrdinalIgnoreCase))
            {
                found.Fail(
                    given is null ? $"{name} is missing" : $"{name} is '{given}', and has to be {value}",
                    mends.Set(name, value)
                );
            }
        }
    }

    // Only a deployment knows their values.
    private static void DemandNeeded(
        Findings found,
        IReadOnlyDictionary<string, string> settings,
        Func<string, bool> isOne
    )
    {
        foreach (
            var name in Expected.Needed.Where(n => isOne(n) && string.IsNullOrEmpty(settings.GetValueOrDefault(n)))
        )
        {
            found.Fail($"{name} is missing", Mends.Provision);
        }
    }
}
