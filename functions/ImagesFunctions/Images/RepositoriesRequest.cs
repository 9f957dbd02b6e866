using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>The query of the control plane's list.</summary>
/// <param name="Filters">The filters, any of which may match.</param>
/// <param name="Details">Whether the answer has the tags.</param>
internal sealed record RepositoriesRequest(IReadOnlyList<ListFilter> Filters, bool Details)
{
    private const int MaxNamespaces = 100;

    /// <summary>
    /// Whether a request to a path that both APIs have can only come from a client of the control plane: it has
    /// <c>details</c>, or more than one <c>namespace</c>.
    /// </summary>
    public static bool IsMeantBy(HttpRequest request) =>
        request.QueryString.HasValue
        && QueryParameters.All(request).Any(q => q.Name == "details" || (q.Name == "namespace" && q.Values.Length > 1));

    /// <summary>Parses the query.</summary>
    /// <exception cref="ApiException">400 that names a parameter that is unknown, malformed or repeated.</exception>
    public static RepositoriesRequest Read(HttpRequest request)
    {
        var (filters, details) = (new List<ListFilter>(), false);
        foreach (var (name, values) in QueryParameters.All(request))
        {
            if (name == "namespace")
            {
                filters.AddRange(values.Select(ListRequest.NamespaceFilter));
                continue;
            }

            var value = QueryParameters.Single(name, values);
            details |= name switch
            {
                "details" => QueryParameters.Flag(name, value),
                "metro" => false,
                _ => throw ApiException.BadRequest(
                    $"The query parameter '{name}' is unknown: there are namespace, which may be repeated, and details."
                ),
            };
        }

        if (filters.Count > MaxNamespaces)
        {
            throw ApiException.BadRequest(
                $"The query parameter 'namespace' is given {filters.Count} times: {MaxNamespaces} are allowed."
            );
        }

        return new RepositoriesRequest(filters.Count > 0 ? [.. filters.Distinct()] : [new ListFilter()], details);
    }
}
