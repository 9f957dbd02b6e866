using System.CommandLine;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary><c>gc</c>: one sweep now, beside whatever runs.</summary>
internal static class GcCommand
{
    public static Command Make(Terminal terminal)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done, and change nothing" };
        var grace = new Option<string?>("--grace")
        {
            Description =
                "How old a blob that nobody needs has to be, such as 12h (default: 24h where it was pushed, 30d where it was dropped). Pushes and drops that take longer have to send blobs again",
        };
        grace.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (given is not null && (!Duration.TryParse(given, out var time) || time > TimeSpan.FromDays(36_525)))
            {
                result.AddError($"'{given}' is no duration like 30d, 24h or 15m");
            }
        });
        return terminal.Runs(
            Help.Examples(
                new Command("gc", "Removes what nobody needs any more") { dryRun, grace },
                "gc --dry-run",
                "gc --grace 12h"
            ),
            async (parsed, images, cancellationToken) =>
            {
                TimeSpan? age = Duration.TryParse(parsed.GetValue(grace), out var time) ? time : null;
                var result = await images.SweepAsync(age, parsed.GetValue(dryRun), cancellationToken);
                foreach (var line in result.Lines.DefaultIfEmpty("nothing to do"))
                {
                    await terminal.Output.WriteLineAsync(line);
                }

                return result[SweepKind.Failed] > 0 ? 1 : 0;
            }
        );
    }
}
