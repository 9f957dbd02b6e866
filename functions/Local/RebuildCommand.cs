using System.CommandLine;

namespace ImagesFunctions.Local;

/// <summary><c>rebuild</c>: makes lost tables anew, beside whatever runs.</summary>
internal static class RebuildCommand
{
    public static Command Make(Terminal terminal) =>
        terminal.Runs(
            Help.Examples(
                new Command(
                    "rebuild",
                    "Makes lost tables anew from what is in the containers; goes on where one was ended"
                ),
                "rebuild"
            ),
            async (_, images, cancellationToken) =>
            {
                var result = await images.RebuildAsync(cancellationToken);
                if (result.Tables.Count == 0)
                {
                    await terminal.Output.WriteLineAsync("no table is lost");
                    return 0;
                }

                await terminal.Output.WriteLineAsync($"made anew: {string.Join(", ", result.Tables)}");
                await terminal.Output.WriteLineAsync($"tokens: {result.Tokens}");
                foreach (var @namespace in result.Namespaces)
                {
                    await terminal.Output.WriteLineAsync($"whole again: {@namespace}");
                }

                foreach (var (@namespace, reason) in result.Failed)
                {
                    await terminal.Errors.WriteLineAsync($"not served: {@namespace}: {reason}");
                }

                return result.Failed.Count == 0 ? 0 : 1;
            }
        );
}
