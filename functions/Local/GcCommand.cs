using System.CommandLine;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Oci;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary><c>gc</c>: one sweep now, of one namespace or of all, beside whatever runs.</summary>
internal static class GcCommand
{
    public static Command Make(Terminal terminal)
    {
        var @namespace = new Argument<string?>("namespace")
        {
            Description = "The namespace to sweep, which is an account's name (default: all)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        @namespace.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } given && !Repository.IsNamespace(given))
            {
                result.AddError($"'{given}' is no namespace");
            }
        });
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done, and change nothing" };
        var grace = Grace();
        return terminal.Runs(
            Help.Examples(
                new Command("gc", "Removes what nobody needs any more") { @namespace, dryRun, grace },
                "gc --dry-run",
                "gc demo",
                "gc --grace 12h"
            ),
            async (parsed, images, cancellationToken) =>
            {
                TimeSpan? age = Duration.TryParse(parsed.GetValue(grace), out var time) ? time : null;
                var result = await images.CollectAsync(
                    parsed.GetValue(@namespace),
                    age,
                    parsed.GetValue(dryRun),
                    cancellationToken
                );
                foreach (var line in result.Lines.DefaultIfEmpty("nothing to do"))
                {
                    await terminal.Output.WriteLineAsync(line);
                }

                return result[SweepKind.Failed] > 0 ? 1 : 0;
            }
        );
    }

    private static Option<string?> Grace()
    {
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
        return grace;
    }
}
