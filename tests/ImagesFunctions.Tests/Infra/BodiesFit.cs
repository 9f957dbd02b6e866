using System.Globalization;
using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>
/// The Functions host reads a body that has a length before it asks the app, token or not. Whatever comes at once has to fit an
/// instance: the arithmetic of docs/settings.md, "How long a body may be", over what the Bicep makes.
/// </summary>
public sealed class BodiesFit
{
    // Measured on the real host: 3.9 to 4.1 times a body's length in memory (its text, in UTF-16, twice for a moment).
    private const int CopiesInMemory = 4;

    // Host 176 MB; worker up to 400 MiB with the list of 100,000 images and four pushes (docs/benchmarks.md, line 21).
    private const int HostAndWorkerMiB = 768;

    // Azure documents 0.8 GB of temporary files on Flex Consumption; the host puts every such body into one.
    private const int TemporaryMiB = 700;

    private static Resource App => Snapshot.Main.One("Microsoft.Web/sites");

    private static int MemoryMB => Scale("instanceMemoryMB");

    private static int Concurrency => Scale("triggers.http.perInstanceConcurrency");

    private static long LimitMiB =>
        long.Parse(Snapshot.Main.AppSettings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"], CultureInfo.InvariantCulture)
        / 1024
        / 1024;

    [Fact]
    public void All_bodies_that_an_instance_may_be_sent_at_once_fit_it() =>
        Assert.True(Fit(LimitMiB, Concurrency, MemoryMB));

    [Fact]
    public void None_of_the_three_can_be_changed_alone()
    {
        Assert.False(Fit(LimitMiB, Concurrency + 1, MemoryMB));
        Assert.False(Fit(LimitMiB, Concurrency, MemoryMB / 2));
        // A little longer would fit, but is of no use: the parameter ends where Azure's front end does.
        Assert.Matches($@"@maxValue\({LimitMiB}\)\nparam requestBodyLimitMiB int", Repo.Read("infra/main.bicep"));
    }

    [Fact]
    public void A_layer_as_long_as_the_front_end_lets_through_can_be_pushed() => Assert.InRange(LimitMiB, 200, 210);

    [Fact]
    public void The_host_itself_holds_back_what_comes_beyond_the_concurrency() =>
        Assert.Equal(
            $"{Concurrency}",
            Snapshot.Main.AppSettings["AzureFunctionsJobHost__extensions__http__maxConcurrentRequests"]
        );

    [Fact]
    public void The_Bicep_computes_the_same()
    {
        var bicep = Repo.Read("infra/app.bicep");
        Assert.Contains($"\nvar hostAndWorkerMiB = {HostAndWorkerMiB}\n", bicep);
        Assert.Contains($"\nvar temporaryMiB = {TemporaryMiB}\n", bicep);
        Assert.Contains($"\nvar needsMiB = bodiesMiB * {CopiesInMemory} + hostAndWorkerMiB\n", bicep);
    }

    [Fact]
    public void The_document_shows_the_same_sum()
    {
        var bodies = LimitMiB * Concurrency;
        var sum =
            $"{LimitMiB} MiB × {Concurrency} × {CopiesInMemory} + {HostAndWorkerMiB} MiB = {Thousands((bodies * CopiesInMemory) + HostAndWorkerMiB)} MiB, of {Thousands(MemoryMB)}";
        var document = Regex.Replace(Repo.Read("docs/settings.md"), @"\s+", " ");
        Assert.Contains(sum, document);
        Assert.Contains(
            $"{LimitMiB} MiB × {Concurrency} = {bodies} MiB of temporary files, of {TemporaryMiB}",
            document
        );
    }

    [Fact]
    public void Whatever_the_document_offers_fits()
    {
        var offers = Regex.Matches(Repo.Read("docs/settings.md"), @"(?m)^\| .+ \| (\d+) \| (\d+) \| (\d+) \|$");
        Assert.Equal(3, offers.Count);
        Assert.All(offers, offer => Assert.True(Fit(Number(offer, 1), Number(offer, 2), Number(offer, 3))));
        Assert.Equal(
            (LimitMiB, Concurrency, MemoryMB),
            (Number(offers[0], 1), Number(offers[0], 2), Number(offers[0], 3))
        );

        static int Number(Match offer, int group) => int.Parse(offer.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    private static string Thousands(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static int Scale(string name) =>
        int.Parse(App[$"properties.functionAppConfig.scaleAndConcurrency.{name}"]!, CultureInfo.InvariantCulture);

    private static bool Fit(long limitMiB, int concurrency, int memoryMB) =>
        (limitMiB * concurrency * CopiesInMemory) + HostAndWorkerMiB <= memoryMB
        && limitMiB * concurrency <= TemporaryMiB;
}
