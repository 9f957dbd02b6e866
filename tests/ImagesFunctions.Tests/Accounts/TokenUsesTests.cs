using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>When tokens were used last.</summary>
public sealed class TokenUsesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_use_is_written_once_a_day_and_no_request_waits_for_it()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var tokens = node.Services.GetRequiredService<Tokens>();
        var used = await tokens.CreateAsync("alice", null, Stop);
        var unused = await tokens.CreateAsync("alice", null, Stop);
        await AskAsync(node, used.Text);
        Assert.All(await ListAsync(), token => Assert.Null(token.UsedOn));
        await AskAsync(node, used.Text + "x");
        var (before, today) = (node.Calls.Count, DateOnly.FromDateTime(DateTime.UtcNow));

        await tokens.Uses.FlushAsync(Stop);

        Assert.Equal(2, node.Calls.Count - before);
        var listed = (await ListAsync()).ToDictionary(token => token.Id);
        // It may have been midnight.
        Assert.InRange(listed[used.Token.Id].UsedOn!.Value, today, today.AddDays(1));
        Assert.Null(listed[unused.Token.Id].UsedOn);
        before = node.Calls.Count;
        await AskAsync(node, used.Text);
        await tokens.Uses.FlushAsync(Stop);
        // The read of the request's own token.
        Assert.Equal(before + 1, node.Calls.Count);

        // Another process finds it written.
        await using var other = new Node(node.Connection);
        await AskAsync(other, used.Text);
        before = other.Calls.Count;
        await other.Services.GetRequiredService<Tokens>().Uses.FlushAsync(Stop);
        Assert.Equal(before + 1, other.Calls.Count);

        Task<List<Token>> ListAsync() => tokens.ListAsync("alice", Stop).ToListAsync(Stop).AsTask();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_that_is_revoked_meanwhile_stays_revoked(bool afterRead)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var other = new Node(node.Connection);
        var tokens = node.Services.GetRequiredService<Tokens>();
        var (token, text) = await tokens.CreateAsync("alice", null, Stop);
        await AskAsync(node, text);
        Task<bool> RevokeAsync() => other.Services.GetRequiredService<Tokens>().RevokeAsync("alice", token.Id, Stop);
        if (afterRead)
        {
            node.Calls.RunBefore(node.Calls.Count + 2, async () => Assert.True(await RevokeAsync()));
        }
        else
        {
            Assert.True(await RevokeAsync());
        }

        await tokens.Uses.FlushAsync(Stop);

        Assert.Empty(await tokens.ListAsync("alice", Stop).ToListAsync(Stop));
    }

    private static Task<Reply> AskAsync(Node node, string text) =>
        new NodeRegistry(node, "alice", text).SendAsync("GET", "/v2/");
}
