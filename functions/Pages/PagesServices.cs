using ImagesFunctions.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>Registers the pages with a host that has registered the library.</summary>
public static class PagesServices
{
    /// <summary>Adds the pages below <c>/browse</c>. Nothing of them is made before the first one is asked for.</summary>
    public static IServiceCollection AddPages(this IServiceCollection services) =>
        services.AddSingleton<IMoreRoutes, BrowseRoutes>();
}
