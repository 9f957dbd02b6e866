using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Catalog;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Rebuild;

/// <summary>Tokens have a backup before anybody has them, and revocations before they are answered.</summary>
public sealed class RevokedTokens : IAsyncLifetime
{
    private LostTables _store = null!;
    private Node _node = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Tokens Tokens => _node.Services.GetRequiredService<Tokens>();

    public async ValueTask InitializeAsync()
    {
        _store = new LostTables(await Storages.NewWithTablesAsync());
        _node = _store.Node();
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    /// <summary>Killed at each call to storage of a revocation: what was answered holds, whatever copy of the row comes back.</summary>
    [Fact]
    public async Task A_revoked_token_stays_revoked()
    {
        for (var (call, ended) = (1, false); !ended; call++)
        {
            var (token, text) = await Tokens.CreateAsync("alice", null, Stop);
            var row = await _node.Storage.TokenRows.GetAsync("alice", token.Id, Stop);
            var calls = new StorageCalls();
            await using var victim = _store.Node(calls, isGuarded: false);
            calls.KillAt(call, afterIt: call % 2 == 0);
            ended =
                await Record.ExceptionAsync(() =>
                    victim.Services.GetRequiredService<Tokens>().RevokeAsync("alice", token.Id, Stop)
                )
                    is null;
            if (ended)
            {
                // As an older copy of the table, and as the backup of who has read the row before.
                await _node.Storage.Accounts.UpsertEntityAsync(
                    StoredTable.Entity("alice", row!),
                    cancellationToken: Stop
                );
                await new TokenBackup(_node.Storage).BringForwardAsync(Stop);
                await new TokenBackup(_node.Storage).KeepAsync("alice", row!, Stop);
                Assert.Equal(HttpStatusCode.Unauthorized, await LoginAsync(text));
            }

            await RebuildAsync();
            Assert.True(!ended || await LoginAsync(text) == HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public async Task A_token_that_was_shown_is_good_after_its_table_was_lost_with_all_that_it_may()
    {
        var (token, text) = await Tokens.CreateAsync("alice", TimeSpan.FromDays(3), Stop, readOnly: true);
        var (_, other) = await Tokens.CreateAsync("bob", null, Stop);
        await RebuildAsync();

        Assert.Equal(HttpStatusCode.OK, await LoginAsync(text));
        Assert.Equal(HttpStatusCode.OK, await LoginAsync(other, "bob"));
        Assert.Equal(token, await Tokens.ListAsync("alice", Stop).SingleAsync(Stop));
    }

    [Fact]
    public async Task A_token_of_an_earlier_version_gets_its_backup_by_the_next_sweep()
    {
        var (_, text) = await Tokens.CreateAsync("alice", null, Stop);
        await _node.Storage.Catalog.DeleteAsync(cancellationToken: Stop);
        await _node.Storage.Catalog.CreateAsync(cancellationToken: Stop);

        await _node.SweepAsync(TimeSpan.FromMinutes(1));
        await RebuildAsync();

        Assert.Equal(HttpStatusCode.OK, await LoginAsync(text));
    }

    [Fact]
    public async Task Rules_about_issuers_come_back_and_those_that_were_removed_do_not()
    {
        var rules = _node.Services.GetRequiredService<TrustRules>();
        var condition = new TrustCondition("https://issuer.example", "images", "me", new Dictionary<string, string>());
        var kept = await rules.AddAsync("alice", condition, Grant.Pull, Stop);
        var removed = await rules.AddAsync("alice", condition, Grant.Pull, Stop);
        Assert.True(await rules.RemoveAsync("alice", removed.Id, Stop));

        await RebuildAsync();

        Assert.Equal([kept.Id], (await rules.ListAsync("alice", Stop)).Select(r => r.Id));
    }

    /// <summary>A token that cannot be kept is not shown.</summary>
    [Fact]
    public async Task Without_its_backup_no_token_is_made_and_none_revoked()
    {
        var (token, text) = await Tokens.CreateAsync("alice", null, Stop);
        await _node.Storage.Catalog.DeleteAsync(cancellationToken: Stop);

        await Assert.ThrowsAnyAsync<Exception>(() => Tokens.CreateAsync("alice", null, Stop));
        await Assert.ThrowsAnyAsync<Exception>(() => Tokens.RevokeAsync("alice", token.Id, Stop));
        Assert.Equal(HttpStatusCode.OK, await LoginAsync(text));
    }

    private async Task RebuildAsync()
    {
        await _node.Storage.Accounts.DeleteAsync(Stop);
        Assert.Equal(["accounts"], (await _store.RebuildAsync()).Tables);
    }

    private async Task<HttpStatusCode> LoginAsync(string token, string account = "alice") =>
        (await new NodeRegistry(_node, account, token).SendAsync("GET", "/v2/")).Status;
}
