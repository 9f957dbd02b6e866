using System.CommandLine;
using System.Globalization;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>usage</c>: what an account takes, repository by repository.</summary>
internal static class UsageCommand
{
    private sealed record Row(string Account, RepositoryUsage Usage)
    {
        public string Name => Account == Repository.Official ? Usage.App : $"{Account}/{Usage.App}";
    }

    private static readonly IReadOnlyList<Column<Row>> s_columns =
    [
        new("repository", row => row.Name),
        new("bytes", row => row.Usage.Bytes) { Text = row => Values.Size(row.Usage.Bytes), IsNumber = true },
        new("blobs", row => row.Usage.Blobs) { IsNumber = true },
        new("images", row => row.Usage.Images) { IsNumber = true },
        new("tags", row => row.Usage.Tags) { IsNumber = true },
    ];

    public static Command Make(Terminal terminal)
    {
        var account = TokenCommands.Account();
        var listing = new Listing<Row>(s_columns, row => row.Name);
        var command = new Command("usage", "What an account takes, as the last collection of its garbage has left it")
        {
            account,
        };
        listing.AddTo(command);
        Help.Examples(command, "usage demo", "usage demo --sort -bytes", "usage demo --output json");
        return terminal.Runs(
            command,
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var usage = await images.UsageAsync(name, cancellationToken);
                await listing.WriteAsync(parsed, usage.Repositories.Select(r => new Row(name, r)), terminal.Output);
                if (usage.Quota is { } quota)
                {
                    await terminal.Errors.WriteLineAsync(
                        $"It may store {Values.Size(quota)}{(usage.Now is { } now ? $", and stores {Values.Size(now.Bytes)} in {now.Blobs} blobs now" : "")}."
                    );
                }

                await terminal.Errors.WriteLineAsync(
                    usage.At is { } at
                        ? $"{Values.Size(usage.Collected)} in {usage.Repositories.Sum(r => r.Blobs)} blobs, counted {at.ToString("u", CultureInfo.InvariantCulture)}."
                        : $"Nothing is counted yet: a collection does that, such as {terminal.Hint(parsed, $"gc {name}")}"
                );
                return 0;
            }
        );
    }
}
