using System.Text.Json;
using Azure.Storage.Blobs;
using ImagesFunctions.WorkerStandIns;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace ImagesFunctions.Tests.App;

/// <summary>What the Functions host does with the app's triggers depends on names and attributes alone; no compiler checks them.</summary>
public sealed class AppTriggers
{
    private static readonly string[] s_methods = ["delete", "get", "head", "options", "patch", "post", "put"];

    private static IReadOnlyList<TriggeredFunction> Functions { get; } =
        TriggeredFunction.In(typeof(ImagesFunctions.App.Site).Assembly);

    private static IReadOnlyList<TriggeredFunction> Http { get; } = [.. Functions.Where(f => f.Http is not null)];

    private static IReadOnlyList<TriggeredFunction> Blob { get; } = [.. Functions.Where(f => f.Blob is not null)];

    [Fact]
    public void Every_function_has_exactly_one_trigger() =>
        Assert.All(Functions, f => Assert.Single(new Attribute?[] { f.Http, f.Blob, f.Timer }, t => t is not null));

    [Fact]
    public void The_catch_all_sorts_last_because_the_host_tries_HTTP_functions_by_name()
    {
        Assert.Equal("{*path}", Assert.Single(Http, f => f.Http!.Route!.StartsWith('{')).Http!.Route);
        Assert.Equal("{*path}", Http.MaxBy(f => f.Name, StringComparer.OrdinalIgnoreCase)!.Http!.Route);
    }

    [Fact]
    public void Routes_are_the_APIs_own() =>
        Assert.Equal(
            [("Images", "v1/{*path}"), ("Registry", "v2/{*path}"), ("Site", "{*path}")],
            Http.Select(f => (f.Name, f.Http!.Route ?? "(none)"))
        );

    [Fact]
    public void No_route_begins_with_what_belongs_to_the_host() =>
        Assert.All(Http, f => Assert.DoesNotMatch("^(admin|runtime)", f.Http!.Route!));

    [Fact]
    public void Every_HTTP_trigger_lists_every_method_because_the_host_answers_the_others_itself() =>
        Assert.All(Http, f => Assert.Equal(s_methods, f.Http!.Methods.Order(StringComparer.Ordinal)));

    [Fact]
    public void The_hosts_own_keys_are_not_asked_for() =>
        Assert.All(Http, f => Assert.Equal(AuthorizationLevel.Anonymous, f.Http!.AuthLevel));

    [Fact]
    public void HTTP_triggers_take_the_request_and_nothing_else() =>
        Assert.All(
            Http,
            f => Assert.Equal([typeof(HttpRequest)], f.Method.GetParameters().Select(p => p.ParameterType))
        );

    [Fact]
    public void A_blob_that_lands_has_two_triggers_of_which_settings_disable_one() =>
        Assert.Equal(
            [
                ("BlobLanded", BlobTriggerSource.EventGrid),
                ("BlobLandedPolling", BlobTriggerSource.LogsAndContainerScan),
            ],
            Blob.Select(f => (f.Name, f.Blob!.Source))
        );

    [Fact]
    public void Blob_triggers_watch_the_container_of_images_in_the_storage_of_images() =>
        Assert.All(Blob, f => Assert.Equal(("images/{name}", "ImagesStorage"), (f.Blob!.BlobPath, f.Blob.Connection)));

    [Fact]
    public void Blob_triggers_bind_a_client_because_any_other_type_carries_the_bytes() =>
        Assert.All(
            Blob,
            f =>
                Assert.Equal(
                    [typeof(BlobClient), typeof(string), typeof(CancellationToken)],
                    f.Method.GetParameters().Select(p => p.ParameterType)
                )
        );

    [Fact]
    public void A_sweep_is_on_a_schedule_that_a_setting_says() =>
        Assert.Equal(
            ("Sweep", "%SweepSchedule%"),
            Assert.Single(Functions.Where(f => f.Timer is not null).Select(f => (f.Name, f.Timer!.Schedule)))
        );

    [Fact]
    public void A_class_has_triggers_of_one_kind_only() =>
        Assert.All(
            Functions.GroupBy(f => f.Method.DeclaringType!),
            type => Assert.Single(type.Select(f => (f.Http is null, f.Blob is null, f.Timer is null)).Distinct())
        );

    [Fact]
    public void The_host_adds_no_prefix_to_routes()
    {
        using var host = Read("host.json");
        Assert.Equal("2.0", host.RootElement.GetProperty("version").GetString());
        Assert.Equal(
            "",
            host.RootElement.GetProperty("extensions").GetProperty("http").GetProperty("routePrefix").GetString()
        );
    }

    [Fact]
    public void The_sample_settings_name_every_connection_and_leave_the_polling_trigger_on()
    {
        using var sample = Read("local.settings.sample.json");
        var values = sample
            .RootElement.GetProperty("Values")
            .EnumerateObject()
            .ToDictionary(v => v.Name, v => v.Value.GetString(), StringComparer.Ordinal);

        Assert.All(Blob, f => Assert.Contains(f.Blob!.Connection!, values.Keys));
        Assert.Equal(6, values["SweepSchedule"]!.Split(' ').Length);
        Assert.Equal("dotnet-isolated", values["FUNCTIONS_WORKER_RUNTIME"]);
        Assert.Equal("true", values["AzureWebJobsDisableHomepage"]);
        Assert.Equal(
            ["BlobLandedPolling"],
            Blob.Select(f => f.Name).Where(name => values.GetValueOrDefault($"AzureWebJobs.{name}.Disabled") != "true")
        );
    }

    private static JsonDocument Read(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, file)));
}
