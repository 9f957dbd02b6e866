namespace ImagesFunctions.Local;

/// <summary>Checks of an installation in Azure, besides those of its storage account.</summary>
internal sealed class CloudChecks(Examined examined)
{
    /// <summary>Looks; nothing is changed.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        // Several checks wait for them, each until its own deadline.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(2 * examined.Deadline);
        var events = new EventChecks(examined);
        var looks = new List<Task<IReadOnlyList<Check>>>
        {
            OneAsync(events.DeadLettersAsync(cancellationToken)),
            OneAsync(events.PoisonAsync(cancellationToken)),
        };
        if (examined is { Management: { } management, Installation: { } installation })
        {
            var app = new AppChecks(examined, management, installation);
            var settings = app.SettingsAsync(patience.Token);
            looks.Add(new SweepChecks(examined, settings).RunAsync(cancellationToken));
            looks.Add(app.RunAsync(cancellationToken));
            looks.Add(app.OfSettingsAsync(settings, cancellationToken));
            looks.Add(new SubscriptionChecks(examined, management, installation).RunAsync(cancellationToken));
        }
        else
        {
            looks.Add(new SweepChecks(examined, settings: null).RunAsync(cancellationToken));
            looks.Add(OneAsync(Task.FromResult(NoNames)));
        }

        var checks = await Task.WhenAll(looks);
        await patience.CancelAsync();
        return [.. checks.SelectMany(some => some)];
    }

    private static Check NoNames =>
        new(
            "function app and events",
            Check.Unknown,
            $"their names are not known: {string.Join(", ", Installation.Variables)} are not all set",
            "eval \"$(azd env get-values | sed 's/^/export /')\""
        );

    private static async Task<IReadOnlyList<Check>> OneAsync(Task<Check> check) => [await check];
}
