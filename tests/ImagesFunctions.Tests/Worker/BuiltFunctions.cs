using ImagesFunctions.FunctionsHost;
using ImagesFunctions.Tests.Infra;

namespace ImagesFunctions.Tests.Worker;

/// <summary>What the Functions host does with the app follows from names and attributes; what it wants is written here.</summary>
public sealed class BuiltFunctions(WorkerFixture fixture)
{
    private const string EveryMethod = "get head post put patch delete options";

    private static readonly string[] s_expected =
    [
        "BlobLanded: blobTrigger path=images/{name} source=EventGrid connection=ImagesStorage",
        "BlobLandedPolling: blobTrigger path=images/{name} connection=ImagesStorage",
        $"Images: httpTrigger authLevel=Anonymous methods={EveryMethod} route=v1/{{*path}}",
        $"Registry: httpTrigger authLevel=Anonymous methods={EveryMethod} route=v2/{{*path}}",
        $"Site: httpTrigger authLevel=Anonymous methods={EveryMethod} route={{*path}}",
        "Sweep: timerTrigger schedule=%SweepSchedule%",
    ];

    /// <summary>The functions of the app as it was built with the tests.</summary>
    public static IReadOnlyList<AppFunction> All { get; } = AppFunction.InFolder(WorkerHost.BuiltApp);

    /// <summary>The function that Event Grid calls.</summary>
    public static AppFunction Landed => Assert.Single(All, f => f.Of("source") == "EventGrid");

    private static IEnumerable<AppFunction> Http => All.Where(f => f.TriggerType == "httpTrigger");

    [Fact]
    public void Are_these_and_no_others() => Assert.Equal(s_expected, All.Select(Line));

    [Fact]
    public async Task Are_what_the_worker_tells_the_host() =>
        Assert.Equal(s_expected, (await (await fixture.Started).Host.FunctionsAsync()).Select(Line));

    [Fact]
    public void Have_different_names_even_in_one_case() =>
        Assert.Distinct(All.Select(f => f.Name), StringComparer.OrdinalIgnoreCase);

    [Fact]
    public void Are_not_tried_before_one_whose_route_is_narrower()
    {
        // The host tries HTTP functions by their names. Both orders, because no document says which one it sorts by.
        foreach (var order in (StringComparer[])[StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase])
        {
            var routes = Http.OrderBy(f => f.Name, order).Select(f => f.Of("route")!.Split("{*")[0]).ToList();
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
    public void Have_no_route_that_begins_with_what_belongs_to_the_host() =>
        Assert.All(Http, f => Assert.DoesNotMatch("(?i)^/?(admin|runtime)", f.Of("route")!));

    [Fact]
    public void Bind_blobs_as_references_because_any_other_type_carries_the_bytes() =>
        Assert.All(
            All.Where(f => f.TriggerType == "blobTrigger"),
            f => Assert.Equal("True", f.Trigger["properties"]!["supportsDeferredBinding"]!.GetValue<string>())
        );

    [Fact]
    public void Are_all_named_in_the_document_of_settings_or_deployment()
    {
        var documents = Repo.Read("docs/settings.md") + Repo.Read("docs/deploy.md") + Repo.Read("docs/operate.md");
        Assert.All(
            All.Where(f => f.TriggerType != "httpTrigger"),
            f => Assert.Contains(f.Name, documents, StringComparison.Ordinal)
        );
    }

    private static string Line(AppFunction function)
    {
        var members = function
            .Trigger.Where(m => m.Key is not ("name" or "direction" or "type" or "properties"))
            .Select(m => $" {m.Key}={(m.Key == "methods" ? string.Join(' ', function.Methods) : m.Value)}");
        return $"{function.Name}: {function.TriggerType}{string.Concat(members)}";
    }
}
