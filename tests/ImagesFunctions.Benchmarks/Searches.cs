using System.Globalization;
using System.Net;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Benchmarks;

/// <summary>The page of repositories while somebody types into its search, in a namespace of 100,000 images.</summary>
internal static class Searches
{
    private const string Namespace = "alice";

    // What a person waits for without noticing.
    private const double Unnoticed = 100;

    public static async Task RunAsync(Bench bench)
    {
        var store = await bench.ManyAsync();
        var token = await store.TokenAsync(Namespace);
        await using var server = await Server.OursAsync(bench, store);
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
        http.BaseAddress = server.Address;
        http.DefaultRequestHeaders.Add("Cookie", $"images-session=:{token}");
        var last = Seeds.App((bench.Many - 1) / Bench.PerApp);

        var times = await TypedAsync(http, last, bench.Stop);
        var slowest = times.Max().ToString("0.0", CultureInfo.InvariantCulture);
        bench.Report.Add(
            Row.Of(
                $"search as you type in {bench.Many:#,0} images",
                (Samples.Median(times), Unnoticed),
                "ms",
                "not noticed",
                Target.AtMost(1),
                $"The whole page `/browse?q=…`, newest first, for each letter of the name of one of {bench.Many / Bench.PerApp:#,0} repositories; the slowest took {slowest} ms."
            )
        );
        bench.Report.Add(
            Row.Of(
                "the same right after a tag move",
                (Samples.Median(await AfterTagMovesAsync(bench, store, http, last)), Unnoticed),
                "ms",
                "not noticed",
                Target.AtMost(1),
                "The same page, directly after another instance has moved a tag."
            )
        );
    }

    // Letter by letter; the first letters find all repositories, which have to be sorted.
    private static async Task<List<double>> TypedAsync(HttpClient http, string name, CancellationToken stop)
    {
        var times = new List<double>();
        for (var round = 0; round <= Bench.Rounds; round++)
        {
            for (var letters = 1; letters <= name.Length; letters++)
            {
                var time = await TimeAsync(http, $"/browse?sort=newest&q={name[..letters]}", name, stop);
                if (round > 0)
                {
                    times.Add(time);
                }
            }
        }

        return times;
    }

    private static async Task<List<double>> AfterTagMovesAsync(Bench bench, Store store, HttpClient http, string name)
    {
        var times = new List<double>();
        for (var move = 1; move <= 3 * Bench.Rounds; move++)
        {
            await ManyImages.MoveTagAsync(bench, store, move);
            times.Add(await TimeAsync(http, $"/browse?q={name}", name, bench.Stop));
        }

        return times;
    }

    private static async Task<double> TimeAsync(HttpClient http, string path, string finds, CancellationToken stop)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        using var answer = await http.GetAsync(path, stop);
        var page = await answer.Content.ReadAsStringAsync(stop);
        var took = Client.Since(started);
        return
            answer.StatusCode == HttpStatusCode.OK
            && (path.Contains("newest", StringComparison.Ordinal) || page.Contains(finds, StringComparison.Ordinal))
            ? took
            : throw new InvalidOperationException($"{path} is answered with {answer.StatusCode}: {page}");
    }
}
