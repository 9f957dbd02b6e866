using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>Pages of a list in which own and official images alternate.</summary>
public sealed class OfficialPages(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private static readonly string[] s_ownApps = ["a", "a-b", "a.b", "a/b", "a0", "web", "web/child"];

    private readonly string _account = Drop.Fresh("alice");

    // Around the account's name, in all ways that a prefix, a slash or an escape could mix up.
    private string[] OfficialApps =>
        [
            _account[..^1],
            _account,
            $"{_account}-x",
            $"{_account}.x",
            $"{_account}0",
            $"{_account}_x",
            $"{_account}x",
            // The name is hexadecimal at its end, so this comes behind it and is a name too.
            _account[..^1] + "g",
        ];

    private string[] OwnRepositories => [.. s_ownApps.Select(a => $"{_account}/{a}")];

    [Fact]
    public async Task Own_and_official_images_are_one_order_while_images_come_and_go()
    {
        var token = await Host.TokenForAsync(_account);
        var official = await Host.TokenForAsync("official");
        var stay = Layout.Small(_account + "stay", "latest");
        var comes = Layout.Small(_account + "comes");
        var both = new Layout().With(stay).With(comes).Index([.. stay.Manifests, .. comes.Manifests]);
        var staying = await StayAsync(stay, token);

        // Page by page; between two pages an image comes and another goes, before and behind the place that was reached.
        var seen = new List<string>();
        var arrived = new Queue<(string Repository, string Token)>();
        var next = $"/v1/images/list?limit=2&after={_account[..^3]}@sha256:{new string('0', 64)}";
        for (var round = 0; next is not null && seen.Count < 500; round++)
        {
            var page = await Host.AskAsync(next, token);
            AssertSuccess(page.Answer);
            seen.AddRange(page.Digests);
            next = Pages.Next(page);
            if (page.Digests.Count == 0 || string.CompareOrdinal(page.Digests[^1], staying[^1]) > 0)
            {
                break;
            }

            var (repository, by) =
                round % 2 == 0
                    ? (OwnRepositories[round * 3 % s_ownApps.Length], token)
                    : ($"official/{OfficialApps[round * 5 % OfficialApps.Length]}", official);
            await ComesAsync(repository, both, comes.FirstImage, by);
            arrived.Enqueue((repository.Replace("official/", "", StringComparison.Ordinal), by));
            if (arrived.Count > 1)
            {
                var (gone, gonesToken) = arrived.Dequeue();
                var path = $"/v1/images/digest/{gone}@{comes.FirstImage}";
                var removed = await Host.SendAsync("DELETE", path, gonesToken);
                Assert.True(removed.Status is 200 or 404, removed.Text);
            }
        }

        Assert.Equal(staying, seen.Where(staying.Contains));
        Assert.Equal(seen.Distinct().Count(), seen.Count);
        Assert.Equal(InOrder(seen), seen);
    }

    /// <summary>Drops an image into every repository, and returns all of these in the order in which they are listed.</summary>
    private async Task<List<string>> StayAsync(Layout stay, string token)
    {
        foreach (var repository in OfficialApps.Select(a => $"official/{a}").Concat(OwnRepositories))
        {
            await Host.LayoutAsync(repository, stay);
        }

        var staying = OfficialApps
            .Concat(OwnRepositories)
            .Order(StringComparer.Ordinal)
            .Select(r => $"{r}@{stay.FirstImage}")
            .ToList();
        await Until.TrueAsync(
            async () => staying.TrueForAll((await Host.ListAsync(token)).Digests.ToHashSet().Contains),
            () => Host.ExplainAsync(_account)
        );
        var whole = (await Host.ListAsync(token)).Digests.ToList();
        Assert.Equal(InOrder(whole), whole);
        Assert.Equal(staying, whole.Where(staying.Contains));
        return staying;
    }

    private async Task ComesAsync(string repository, Layout layout, string image, string token)
    {
        await Host.LayoutAsync(repository, layout);
        await Until.TrueAsync(
            async () => (await Host.AskAsync($"/v1/images/digest/{repository}@{image}", token)).Status == 200,
            () => Host.ExplainAsync(repository.Split('/')[0])
        );
    }

    private static IEnumerable<string> InOrder(IEnumerable<string> names) =>
        names
            .OrderBy(n => n.Split('@')[0], StringComparer.Ordinal)
            .ThenBy(n => n.Split('@')[1], StringComparer.Ordinal);
}
