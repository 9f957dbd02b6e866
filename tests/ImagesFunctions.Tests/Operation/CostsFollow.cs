using System.Globalization;
using System.Text.RegularExpressions;
using ImagesFunctions.Tests.Infra;

namespace ImagesFunctions.Tests.Operation;

/// <summary>
/// The sums of docs/operate.md follow from its prices, from its assumptions, and from the requests that <c>RequestsPerOperation</c> and
/// <c>IdleSweeps</c> count: here they are computed from the texts themselves.
/// </summary>
public sealed class CostsFollow
{
    private const double SecondsAMonth = 730 * 3600;
    private const double DaysAMonth = 30;
    private const double Gb = 4;

    // Of the average image: its manifest, its config and two layers.
    private const double Blobs = 4;

    private static readonly string s_page = Repo.Read("docs/operate.md");
    private static readonly string s_scale = Repo.Read("docs/scale.md");

    // How many images of one month are of which column.
    private static readonly double[] s_images = [1e4, 1e6, 1e8];

    private static double[] BlobPrices => Prices("blobs, hot, zone-redundant");

    private static double ATableRequest => Prices("tables, zone-redundant")[1] / 10_000;

    private static double AWrite => BlobPrices[1] / 10_000;

    private static double ARead => BlobPrices[2] / 10_000;

    // Of an instance of 4 GB on demand, for a second; and an execution.
    private static double ASecond => Gb * Prices("Flex Consumption, on demand")[0];

    private static double AnExecution => Prices("Flex Consumption, on demand")[1] / 1e6;

    [Fact]
    public void From_what_is_assumed_of_an_image() =>
        Assert.Contains(
            "an average image has 4 blobs and 30 MB of its own, and 10 KB of rows; 5 % of all images are pushed anew in a month; each\n"
                + "is pulled once a month (redirected), and one in ten listed; 500 bytes of log a request; a namespace has 1,000 images.",
            s_page,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("stored blobs")]
    [InlineData("stored rows")]
    [InlineData("soft-deleted copies of uploads")]
    [InlineData("pushes")]
    [InlineData("pulls")]
    [InlineData("lists")]
    [InlineData("sweeper")]
    [InlineData("logs")]
    public void For_each_row_of_the_bill(string row) =>
        Assert.All(
            Shown(row).Zip(s_images, (shown, images) => (shown, Of(row) * images)),
            pair => IsAbout(pair.Item2, pair.shown, row)
        );

    [Fact]
    public void For_alerts_from_how_often_the_Bicep_asks()
    {
        var prices = Prices("Log Analytics");
        var onLogs = Snapshot.Main.Of("Microsoft.Insights/scheduledQueryRules");
        var sum = onLogs.Sum(a => a["properties.evaluationFrequency"] == "PT5M" ? prices[1] : prices[2]);
        var onMetrics = Snapshot.Main.Of("Microsoft.Insights/metricAlerts").Count;
        Assert.All(Shown("alerts"), shown => IsAbout(sum + (prices[3] * onMetrics), shown, "alerts"));
    }

    [Fact]
    public void For_a_month_in_all()
    {
        string[] rows =
        [
            "stored blobs",
            "stored rows",
            "soft-deleted copies of uploads",
            "pushes",
            "pulls",
            "lists",
            "sweeper",
            "logs",
        ];
        var alerts = Number(Shown("alerts")[0]);
        var sums = s_images.Select(images => rows.Sum(row => Of(row) * images) + alerts).ToList();
        Assert.All(Shown("**a month**").Zip(sums), pair => IsAbout(pair.Second, pair.First, "a month"));
        // Stored bytes are most of it, as the page says.
        Assert.InRange(Of("stored blobs") * 1e6 / sums[1], 0.8, 0.9);
    }

    [Fact]
    public void For_the_sweeper()
    {
        var (sweeps, requests) = (SweepsAMonth, RequestsASweep);
        Has($"A sweep of a namespace of 1,000 images is at most\n{requests:0} requests");
        Has($"That is {sweeps:0} sweeps a month");
        Has($"For 1 M images {sweeps * 1000:#,0} sweeps are {sweeps * requests / 1000:0.0} million requests");
        Has($"One sweeper makes about {Math.Round(3600 / (requests * 0.01) / 100) * 100:#,0} such sweeps an hour");
        // A walk in a day, by what a pass may send.
        var aDay = 24 * double.Parse(Snapshot.Main.AppSettings["SweepWalkRequests"], CultureInfo.InvariantCulture);
        Has(
            $"in a day it has looked at {Math.Floor(aDay / Idle / 100) * 100:#,0} small namespaces, or\nat {aDay / AThousandImages / 1000:0} million images"
        );
    }

    [Fact]
    public void For_instances_that_stay_and_for_the_most_that_may_run()
    {
        var kept = Gb * Prices("Flex Consumption, always ready")[0] * SecondsAMonth;
        Has($"4 GB: about {kept:0} a month");
        Has($"`azd env set IMAGES_ALWAYS_READY_BLOB 1`), about {kept:0} dollars a month with 4 GB");
        var busy = ASecond * SecondsAMonth;
        Has($"are about {Math.Round(100 * busy / 100) * 100:#,0}, and that may");
        Has($"125 instances of 4 GB, or {Math.Round(125 * busy / 100) * 100:#,0} a month");
        Has($"that wait are paid for: 100 of them for five minutes, {100 * 300 * ASecond:0} dollars");
        var deploy = Repo.Read("docs/deploy.md");
        Assert.Contains($"| {6 * kept:0}: six instances of 4 GB |", deploy, StringComparison.Ordinal);
        Assert.Contains($"| {kept:0} each |", deploy, StringComparison.Ordinal);
    }

    [Fact]
    public void For_what_reviewers_ask_for()
    {
        var deploy = Repo.Read("docs/deploy.md");
        var prices = Prices("private endpoint");
        var network =
            (Snapshot.Reviewed.Of("Microsoft.Network/privateEndpoints").Count * prices[0] * SecondsAMonth / 3600)
            + (Snapshot.Reviewed.Of("Microsoft.Network/privateDnsZones").Count * prices[2]);
        Assert.Contains(
            $"| {network:0}, and {prices[1]:0.00} a GB that goes through |",
            deploy,
            StringComparison.Ordinal
        );
        var test = Snapshot.Reviewed.One("Microsoft.Insights/webtests");
        var places = test.Json.GetProperty("properties").GetProperty("Locations").GetArrayLength();
        var runs =
            places * DaysAMonth * 86_400 / double.Parse(test["properties.Frequency"]!, CultureInfo.InvariantCulture);
        var cost = runs * (Prices("availability test")[0] + ASecond);
        Assert.Contains(
            $"| {cost:0}: {runs:#,0} runs, and as many seconds of an instance |",
            deploy,
            StringComparison.Ordinal
        );
    }

    /// <summary>The sums of docs/scale.md about an account and a large namespace.</summary>
    [Fact]
    public void For_loads()
    {
        var push = Counted("push of an image of two new blobs")
            .Zip(Counted("events of a pushed image"), (a, b) => a + b)
            .ToArray();
        var (requests, entities) = (push[0] + push[2], push[1]);
        Scale(
            $"{100_000 / 3600.0:0} pushes a second: {Math.Round(28 * requests / 10) * 10:#,0} requests a second, a fourteenth"
        );
        Assert.Equal(14, Math.Round(20_000 / (28 * requests)));
        Scale($"{Math.Floor(300_000 / 3600.0):0} events a second");
        Scale($"{Math.Round(28 * entities / 10) * 10:#,0} entities a second, half of");
        Scale($"| {Math.Floor(2000 / entities):0} a second, {Math.Floor(2000 / entities) * 3.6:0},000 an hour |");
        Scale($"a second, {Math.Floor(20_000 / requests) * 3600 / 1e6:0.0} million an hour");
        // 10 million images of ten rows and 1.8 KB each, two rows of each in a list.
        Scale("18 GB of memory");
        Scale($"20 million rows are read at 2,000 a\n  second: {20e6 / 2000 / 3600:0} hours");
        // As SweepsPerImage counts: of the requests for 1,000 images all but those that list blobs are pages of 1,000 rows.
        var read = AThousandImages - 1;
        Scale($"take {10e6 * read / 2000 / 3600:0} hours at the partition's pace");
        Scale($"about {3600 * 2000 / read / 1000:0},000 images a\n  namespace");
        Scale($"{10e6 * 10_000 / 1e9:0} GB");
    }

    // A month's cost of one image.
    private static double Of(string row)
    {
        const double stored = 0.030;
        const double pushed = 0.05;
        switch (row)
        {
            case "stored blobs":
                return stored * BlobPrices[0];
            case "stored rows":
                return 10e-6 * Prices("tables, zone-redundant")[0];
            case "soft-deleted copies of uploads":
                return pushed * stored * 7 / DaysAMonth * BlobPrices[0];
            case "pushes":
                return pushed * APush();
            case "pulls":
                return APull();
            case "lists":
                return 0.1
                    * ((0.1 * ASecond) + AnExecution + (Counted("list, nothing has changed")[0] * ATableRequest));
            case "sweeper":
                return ASweep() * SweepsAMonth / 1000;
            case "logs":
                return ((pushed * Executions) + Requests + 0.1) * 500e-9 * Prices("Log Analytics")[0];
            default:
                throw new ArgumentException(row, nameof(row));
        }
    }

    // The requests of a push of three blobs and their events, and a third more for the fourth.
    private static double Executions => (9 + 3) * Blobs / 3;

    // Of a pull: the login, a token, the manifest and three blobs.
    private const double Requests = 6;

    private static double APush()
    {
        var (push, events) = (Counted("push of an image of two new blobs"), Counted("events of a pushed image"));
        var more = Blobs / 3;
        return ((push[0] + events[0]) * more * ATableRequest)
            + ((push[2] + events[2]) * more * AWrite)
            + (Blobs * 2 * Prices("Event Grid")[0] / 1e6)
            + (Executions * AnExecution)
            + (10 * ASecond);
    }

    private static double APull()
    {
        var (manifest, blob) = (Counted("pull: manifest by tag"), Counted("pull: one blob"));
        return (Requests * ((0.05 * ASecond) + AnExecution))
            + ((manifest[0] + ((Blobs - 1) * blob[0]) + 1) * ATableRequest)
            + ((manifest[2] + ((Blobs - 1) * blob[2])) * ARead);
    }

    // Five listings, a write of what is used and three reads of the catalog, the rest rows.
    private static double ASweep() =>
        (6 * AWrite) + (3 * ARead) + ((RequestsASweep - 9) * ATableRequest) + (RequestsASweep * 0.01 * ASecond);

    // The walk's, and two for each of 50 pushes.
    private static double SweepsAMonth => 31 + (2 * 50);

    private static double RequestsASweep => Idle + AThousandImages;

    private static double Idle =>
        Number(Regex.Match(s_page, @"A namespace with nothing to do takes at most (\d+) ").Groups[1].Value);

    private static double AThousandImages =>
        Number(Regex.Match(s_page, @"and about (\d+) more for each 1,000 images").Groups[1].Value);

    private static void Has(string text) => Assert.Contains(text, s_page, StringComparison.Ordinal);

    private static void Scale(string text) => Assert.Contains(text, s_scale, StringComparison.Ordinal);

    private static double[] Counted(string operation) => [.. Cells(s_scale, operation).Select(Number)];

    private static double[] Prices(string of)
    {
        var row = Regex.Match(s_page, $@"(?m)^\| {Regex.Escape(of)} \| (.+) \|$");
        Assert.True(row.Success, of);
        return [.. Regex.Matches(row.Groups[1].Value, @"\d+\.\d+").Select(m => Number(m.Value))];
    }

    // A row may say in brackets, or behind a colon or comma, what it counts.
    private static string[] Shown(string row) => [.. Cells(s_page, row).TakeLast(3).Select(cell => cell.Trim('*'))];

    private static string[] Cells(string page, string row)
    {
        var found = Regex.Match(page, $@"(?m)^\| {Regex.Escape(row)}[^|]*((?:\| *\**[\d.,]+\** *)+)\|$");
        Assert.True(found.Success, row);
        return [.. found.Groups[1].Value.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(cell => cell.Trim())];
    }

    private static double Number(string text) =>
        double.Parse(text.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);

    // To the last digit that is shown, or two percent.
    private static void IsAbout(double computed, string shown, string what)
    {
        var decimals = shown.Contains('.') ? shown.Length - shown.IndexOf('.') - 1 : 0;
        var allowed = Math.Max(0.51 * Math.Pow(10, -decimals), computed * 0.02);
        Assert.True(Math.Abs(Number(shown) - computed) <= allowed, $"{what}: {shown}, computed {computed:0.###}");
    }
}
