using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What the Bicep watches and writes down.</summary>
public sealed class DeployedAlerts
{
    private static Snapshot Main => Snapshot.Main;

    [Fact]
    public void Every_alert_is_mailed_watches_something_that_exists_and_is_in_the_document()
    {
        var alerts = Main.Of("Microsoft.Insights/metricAlerts")
            .Concat(Main.Of("Microsoft.Insights/scheduledQueryRules"))
            .ToList();
        Assert.Equal(8, alerts.Count);
        var mail = Main.One("Microsoft.Insights/actionGroups").Id;
        var document = Repo.Read("docs/operate.md");
        Assert.All(
            alerts,
            alert =>
            {
                Assert.Contains(mail, alert["properties.actions"]);
                Assert.Contains($"`{alert.Name}`", document);
                var scope = alert["properties.scopes.0"]!;
                Assert.True(scope.StartsWith('[') || Main.All.Any(r => r.Id == scope), scope);
                foreach (Match heading in Regex.Matches(alert["properties.description"]!, "\"(.+?)\""))
                {
                    Assert.Contains($"## {heading.Groups[1].Value}\n", document);
                }
            }
        );
    }

    [Fact]
    public void Alerts_on_logs_ask_for_metrics_and_labels_that_there_are()
    {
        using var meters = new MeterListener();
        var instruments = new HashSet<string>(StringComparer.Ordinal);
        meters.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name == TelemetryExport.Name)
            {
                instruments.Add(instrument.Name);
            }
        };
        RuntimeHelpers.RunClassConstructor(typeof(Metrics).TypeHandle);
        meters.Start();

        var queries = Main.Of("Microsoft.Insights/scheduledQueryRules")
            .Select(rule => rule["properties.criteria.allOf.0.query"]!)
            // The workbook asks the same way.
            .Concat(Workbook.Queries)
            .ToList();
        Assert.InRange(queries.Count, 8, 20);
        Assert.All(queries, query => Assert.Contains("AppMetrics", query));
        var page = Repo.Read("docs/telemetry.md");
        foreach (Match metric in Regex.Matches(string.Concat(queries), "Name == '(.+?)'"))
        {
            Assert.Contains(metric.Groups[1].Value, instruments);
        }

        foreach (Match label in Regex.Matches(string.Concat(queries), @"Properties\['(.+?)'\]"))
        {
            Assert.Contains($"`{label.Groups[1].Value}`", page);
        }
    }

    [Fact]
    public void The_kinds_of_the_sweeper_that_alerts_ask_for_are_counted()
    {
        var kinds = Enum.GetNames<SweepKind>().Select(kind => kind.ToLowerInvariant()).Append(Metrics.CompleteSweeps);
        var asked = Main.Of("Microsoft.Insights/scheduledQueryRules")
            .SelectMany(rule =>
                Regex.Matches(rule["properties.criteria.allOf.0.query"]!, @"Properties\['kind'\] == '(.+?)'")
            )
            .Select(kind => kind.Groups[1].Value)
            .ToList();
        Assert.Equal(2, asked.Count);
        Assert.Subset(kinds.ToHashSet(), asked.ToHashSet());
    }

    [Fact]
    public void An_answer_is_counted_once_by_the_app_and_once_by_the_host_and_not_by_both_together()
    {
        var query = Main.Of("Microsoft.Insights/scheduledQueryRules")
            .Single(rule => rule.Name == "images-server-errors")["properties.criteria.allOf.0.query"]!;
        Assert.Contains("max(ItemCount), Status = max(toint(ResultCode)) by OperationId", query);
        Assert.Matches(@"sumif\(Answers, Status >= 500\) by By\s", query);
    }

    [Fact]
    public void Logs_go_to_the_workspace() =>
        Assert.Equal(
            ["DeliveryFailures", "FunctionAppLogs", "StorageDelete", "StorageDelete", "StorageDelete"],
            Main.Of("Microsoft.Insights/diagnosticSettings")
                .Select(setting => setting["properties.logs.0.category"])
                .Order(StringComparer.Ordinal)
        );
}
