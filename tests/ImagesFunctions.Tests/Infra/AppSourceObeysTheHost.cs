using System.Text.Json;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What the Functions host does with the app follows from names and attributes; what it wants is written here.</summary>
public sealed class AppSourceObeysTheHost
{
    private const string EveryMethod = "get head post put patch delete options";

    private static readonly string[] s_expected =
    [
        "BlobLanded: BlobTrigger images/{name}, Connection=ImagesStorage, Source=EventGrid",
        "BlobLandedPolling: BlobTrigger images/{name}, Connection=ImagesStorage",
        $"Images: HttpTrigger Anonymous {EveryMethod}, Route=v1/{{*path}}",
        $"Registry: HttpTrigger Anonymous {EveryMethod}, Route=v2/{{*path}}",
        $"Site: HttpTrigger Anonymous {EveryMethod}, Route={{*path}}",
        "Sweep: TimerTrigger %SweepSchedule%",
    ];

    private static IEnumerable<AppFunction> Http => AppSource.Functions.Where(f => f.Trigger == "HttpTrigger");

    [Fact]
    public void The_functions_are_these_and_no_others()
    {
        Assert.Equal(s_expected, AppSource.Functions.Select(Line));
    }

    [Fact]
    public void Functions_have_different_names_even_in_one_case() =>
        Assert.Distinct(AppSource.Functions.Select(f => f.Name), StringComparer.OrdinalIgnoreCase);

    [Fact]
    public void No_HTTP_function_is_tried_before_one_whose_route_is_narrower()
    {
        // The host tries them by their names. Both orders, because nobody says which one it sorts by.
        foreach (var order in (StringComparer[])[StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase])
        {
            var routes = Http.OrderBy(f => f.Name, order).Select(f => f.Named["Route"].Split("{*")[0]).ToList();
            Assert.All(
                routes.Index(),
                route =>
                    Assert.DoesNotContain(
                        routes[..route.Index],
                        before => route.Item.StartsWith(before, StringComparison.Ordinal)
                    )
            );
        }
    }

    [Fact]
    public void No_route_begins_with_what_belongs_to_the_host() =>
        Assert.All(Http, f => Assert.DoesNotMatch("(?i)^/?(admin|runtime)", f.Named["Route"]));

    [Fact]
    public void Functions_hold_no_logic() => Assert.All(AppSource.Functions, f => Assert.InRange(f.Statements, 1, 2));

    [Fact]
    public void What_the_build_says_to_the_host_is_what_the_source_says()
    {
        var file = Repo.Path("functions/App/bin/Debug/net10.0/functions.metadata");
        Assert.SkipUnless(
            File.Exists(file),
            "skipped, because functions/App is not built: its packages are not served everywhere"
        );
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        Assert.Equal(
            AppSource.Functions.Select(f => f.Name),
            json.RootElement.EnumerateArray()
                .Select(f => f.GetProperty("name").GetString()!)
                .Order(StringComparer.Ordinal)
        );
    }

    private static string Line(AppFunction f)
    {
        var named = f.Named.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => $", {n.Key}={n.Value}");
        return $"{f.Name}: {f.Trigger} {string.Join(' ', f.Arguments)}{string.Concat(named)}";
    }
}
