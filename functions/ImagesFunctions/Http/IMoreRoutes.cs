using Microsoft.AspNetCore.Routing;

namespace ImagesFunctions.Http;

/// <summary>
/// Routes that a project above this library adds to its pipeline. Their endpoints name an <see cref="IErrorFormat"/> as metadata;
/// a route that is known nowhere stays one of the Images API.
/// </summary>
internal interface IMoreRoutes
{
    /// <summary>Maps them; called once, at the first request.</summary>
    /// <param name="endpoints">Where to map them.</param>
    void Map(IEndpointRouteBuilder endpoints);
}
