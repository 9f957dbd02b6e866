using System.Collections.Concurrent;
using System.Globalization;
using ImagesFunctions.Journal;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Hosting;

namespace ImagesFunctions.Accounts;

/// <summary>
/// On which day each token was used last. A request only notes it; the token's row is written a little later, once a day and process, so
/// that nobody waits for it. What a kill loses of it is noted at the next use.
/// </summary>
internal sealed class TokenUses(StorageAccount account)
{
    private const string UsedName = "used_on";
    private const string Format = "yyyy-MM-dd";

    // A hundred bytes each. Of more, some are written again.
    private const int MaxTokens = 100_000;

    private readonly ConcurrentDictionary<(string Account, string Id), DateOnly> _written = [];
    private readonly ConcurrentDictionary<(string Account, string Id), DateOnly> _noted = [];

    /// <summary>Notes that a token is used now.</summary>
    public void Note(string name, string id)
    {
        var today = DateOnly.FromDateTime(account.Clock.UtcNow.UtcDateTime);
        if (!_written.TryGetValue((name, id), out var day) || day != today)
        {
            _noted[(name, id)] = today;
        }
    }

    /// <summary>The day on which a token was used last, as its row says; null where none is known.</summary>
    public static DateOnly? Of(TableRow row) =>
        DateOnly.TryParseExact(
            row.GetString(UsedName),
            Format,
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var day
        )
            ? day
            : null;

    /// <summary>Writes what is noted. A token that was revoked meanwhile stays revoked: its row is only written where it is there.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var ((name, id), day) in _noted)
        {
            // What is noted while this is written stays noted.
            _noted.TryRemove(new((name, id), day));
            if (_written.Count >= MaxTokens)
            {
                _written.Clear();
            }

            if (await account.TokenRows.GetAsync(name, id, cancellationToken) is { } row && !(Of(row) >= day))
            {
                row[UsedName] = day.ToString(Format, CultureInfo.InvariantCulture);
                // Refused where somebody else has written it, or removed it: then that was later.
                await account.TokenRows.PutAsync(name, new Change(id, row, row.Version), cancellationToken);
            }

            _written[(name, id)] = day;
        }
    }
}

/// <summary>Writes in the background of a host when tokens were used, from its start to its end.</summary>
/// <param name="tokens">Gives the tokens: a storage account that is not configured shows at its first use, and not here.</param>
/// <param name="time">Measures the pauses.</param>
internal sealed class TokenUseService(Func<Tokens> tokens, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxEnd = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(MaxEnd);
        await FlushAsync(end.Token);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await FlushAsync(stoppingToken);
            }
        }
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await tokens().Uses.FlushAsync(cancellationToken);
        }
        catch (Exception error)
            when (error is OperationCanceledException or InvalidOperationException
                || StorageErrors.IsFailure(error)
                || StorageErrors.IsUnclear(error)
            )
        {
            // It only says less than it might: the next use of the token is noted again.
        }
    }
}
