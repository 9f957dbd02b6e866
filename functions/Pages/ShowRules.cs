using System.Globalization;
using ImagesFunctions.Listing;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>The page of what an account takes and of its rules.</summary>
internal static class ShowRules
{
    private const int MaxRepositories = 500;
    private const int MaxGoing = 200;
    private const int MaxTags = 20;

    /// <summary>Tells one state of an account's rules from the others.</summary>
    /// <param name="row">The rules that are set; null: there never were any.</param>
    public static string VersionOf(RulesRow? row) =>
        row is null ? "none" : row.At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>Answers with the page.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sent">The rules that a form has sent; null: those that are set are shown.</param>
    /// <param name="trial">What they would do; null where it was not asked.</param>
    /// <param name="wrong">What is wrong with them; "" for nothing.</param>
    public static async Task AnswerAsync(
        PageRequest request,
        string? sent = null,
        RulesTrial? trial = null,
        string wrong = ""
    )
    {
        var services = request.Http.RequestServices;
        var viewer = request.Viewer;
        var usage = services.GetRequiredService<UsageReader>().ReadAsync(viewer.Account, request.Stop);
        var rules = services.GetRequiredService<RulesStore>().GetAsync(viewer.Account, request.Stop);
        await Task.WhenAll(usage, rules);
        var row = await rules;
        await PageWriter.WriteAsync<RulesPage>(
            request.Http,
            wrong.Length > 0 ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK,
            ("Viewer", viewer),
            (
                "View",
                new RulesView(
                    Section(viewer.Account, await usage),
                    sent ?? (row?.Rules ?? AccountRules.None).Readable,
                    VersionOf(row),
                    services.GetRequiredService<StorageClock>().UtcNow
                )
                {
                    SetAt = row?.At,
                    SetBy = AuthorLine.Of(viewer, viewer.Account, row?.By),
                    Trial = trial is null ? null : Section(trial),
                    Wrong = wrong,
                }
            )
        );
    }

    private static UsageSection Section(string account, AccountUsage usage) =>
        new(
            usage.At,
            new UsageLine(
                new NamedPath("All", ""),
                usage.Collected,
                usage.Repositories.Sum(r => r.Blobs),
                usage.Images,
                usage.Tags
            ),
            [
                .. usage
                    .Repositories.OrderByDescending(r => r.Bytes)
                    .ThenBy(r => r.App, StringComparer.Ordinal)
                    .Take(MaxRepositories)
                    .Select(r => new UsageLine(
                        NamedPath.OfName($"{account}/{r.App}"),
                        r.Bytes,
                        r.Blobs,
                        r.Images,
                        r.Tags
                    )),
            ]
        )
        {
            More = Math.Max(0, usage.Repositories.Count - MaxRepositories),
            Quota = usage.Quota,
            Now = usage.Now?.Bytes,
        };

    private static TrialSection Section(RulesTrial trial) =>
        new(
            [
                .. trial
                    .Going.Take(MaxGoing)
                    .Select(image => new GoingLine(
                        NamedPath.Of(image.Repository),
                        new NamedPath(
                            image.Digest.ToString(),
                            BrowsePaths.Of(image.Repository, image.Digest.ToString())
                        ),
                        [.. image.Tags.Take(MaxTags)]
                    )),
            ],
            trial.Going.Count,
            trial.Bytes,
            [.. trial.Immutable.Take(MaxGoing)],
            trial.Immutable.Count
        );
}
