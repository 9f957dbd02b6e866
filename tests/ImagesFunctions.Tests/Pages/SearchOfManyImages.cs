using System.Diagnostics;
using System.Globalization;
using System.Text;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Faults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Pages;

/// <summary>The page of repositories while somebody types into its search, in an account of 100,000 images.</summary>
public sealed class SearchOfManyImages(ITestOutputHelper output)
{
    private const int Images = 100_000;
    private const int ImagesPerApp = 10;

    // The token, two versions, and of each line what the list does not say: its platforms and its signature.
    private const int MaxRequests = 3 + (2 * 25);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [LongFact]
    public async Task Each_letter_finds_what_has_it_with_a_few_requests_for_what_is_shown()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var seeds = Seeds.Images(Images, ImagesPerApp);
        await Seeds.WriteAsync(node.Storage.ImageTable, "alice", seeds, ImagesPerApp, Stop);
        var tokens = node.Services.GetRequiredService<Tokens>();
        var (_, token) = await tokens.CreateAsync("alice", lifetime: null, Stop);
        // The first scan may take longer than a request may.
        await node.Lists.CurrentAsync("alice", app: null, Stop);
        var last = Seeds.App((Images - 1) / ImagesPerApp);
        var times = new List<double>();

        foreach (var sort in (string[])["name", "newest", "size", "images"])
        {
            for (var letters = 1; letters <= last.Length; letters++)
            {
                var before = node.Calls.Count;
                var (page, took) = await AskAsync(node, token, "/browse", $"?sort={sort}&q={last[..letters]}");
                Assert.InRange(node.Calls.Count - before, 2, MaxRequests);
                Assert.Contains(
                    letters == last.Length ? $">alice/{last}<" : $">alice/{last[..letters]}",
                    page,
                    StringComparison.Ordinal
                );
                times.Add(took);
            }
        }

        times.Sort();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"A letter took {times[times.Count / 2]:0.0} ms in the median, and {times[^1]:0.0} ms at most."
            )
        );
    }

    private static async Task<(string Page, double Milliseconds)> AskAsync(
        Node node,
        string token,
        string path,
        string query
    )
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = node.Services };
        context.Request.Method = HttpMethods.Get;
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("127.0.0.1:7071");
        context.Request.Path = path;
        context.Request.QueryString = new QueryString(query);
        context.Request.Headers.Cookie = $"images-session=:{token}";
        context.Response.Body = body;
        var began = Stopwatch.GetTimestamp();
        await node.Services.GetRequiredService<ImagesApp>().HandleAsync(context);
        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        var page = Encoding.UTF8.GetString(body.ToArray());
        Assert.True(context.Response.StatusCode == StatusCodes.Status200OK, page);
        return (page, took);
    }
}
