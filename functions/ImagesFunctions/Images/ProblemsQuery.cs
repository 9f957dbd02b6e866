using System.Globalization;
using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>The query of a request for problems.</summary>
internal sealed record ProblemsQuery
{
    private const int MaxLimit = 1_000;

    private static readonly string[] Kinds =
    [
        "refused",
        "failed",
        "waiting",
        ImageNote.NotImage,
        ImageNote.LeftOut,
        ImageNote.Deleted,
    ];

    private string? Namespace { get; init; }

    private string? App { get; init; }

    private string? Kind { get; init; }

    private int? Limit { get; init; }

    /// <summary>Parses the query of a request.</summary>
    /// <exception cref="ApiException">400 that names a parameter that is malformed, unknown or repeated.</exception>
    public static ProblemsQuery Read(HttpRequest request)
    {
        var asked = new ProblemsQuery();
        foreach (var (name, value) in QueryParameters.Single(request))
        {
            asked = name switch
            {
                "namespace" => asked.WithNamespace(value),
                "kind" => asked with
                {
                    Kind = Kinds.Contains(value, StringComparer.Ordinal)
                        ? value
                        : throw BadRequest($"'kind' has to be one of {string.Join(", ", Kinds)}."),
                },
                "limit" => asked with
                {
                    Limit =
                        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                        && limit is >= 1 and <= MaxLimit
                            ? limit
                            : throw BadRequest($"'limit' has to be a number from 1 to {MaxLimit}."),
                },
                _ => throw BadRequest($"'{name}' is unknown: there are namespace, kind and limit."),
            };
        }

        return asked;
    }

    /// <summary>Filters the problems of an account.</summary>
    public IngestStatus Of(Access access, IngestStatus all)
    {
        // Another account's problems do not exist for the caller.
        if (Namespace is not null && !access.Owns(Namespace))
        {
            return all with { Refused = [], Waiting = [], Notes = [] };
        }

        var (left, app) = (Limit ?? int.MaxValue, $"{access.Account}/{App}");
        var refused = Take(
            all.Refused,
            r => r.State,
            r => StatusReader.IsOf(app, r.Path),
            r => StatusReader.RepositoryOf(r.Path)?.App
        );
        var notes = Take(all.Notes, n => n.Kind, n => n.Repository == app, n => AppOf(n.Repository));
        var waiting = Take(all.Waiting, _ => "waiting", w => w.Repository == app, w => AppOf(w.Repository));
        return all with { Refused = refused, Notes = notes, Waiting = waiting };

        IReadOnlyList<T> Take<T>(
            IReadOnlyList<T> problems,
            Func<T, string> kind,
            Func<T, bool> isOfApp,
            Func<T, string?> appOf
        )
        {
            var taken = problems
                .Where(problem => (Kind is null || kind(problem) == Kind) && (App is null || isOfApp(problem)))
                .Where(problem => access.MaySeeProblems(appOf(problem)))
                .Take(left)
                .ToList();
            left -= taken.Count;
            return taken;
        }
    }

    private static string? AppOf(string repository) =>
        Repository.TryParse(repository, out var parsed) ? parsed.App : null;

    private ProblemsQuery WithNamespace(string value) =>
        Repository.IsNamespace(value) ? this with { Namespace = value }
        : Repository.TryParse(value, out var repository)
            ? this with
            {
                Namespace = repository.Namespace,
                App = repository.App,
            }
        : throw BadRequest("'namespace' is malformed: use <user> or <user>/<app>.");

    private static ApiException BadRequest(string reason) =>
        new(StatusCodes.Status400BadRequest, $"The query parameter {reason}");
}
