using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace ImagesFunctions.App;

/// <summary>
/// Every path that no other HTTP trigger takes, so that what is not there answers in the API's own words. The host tries
/// triggers in the alphabetical order of their names: this name must stay the last.
/// </summary>
public sealed class Site(RequestDelegate pipeline)
{
    [Function(nameof(Site))]
    public async Task<IActionResult> Run(
        [HttpTrigger(
            AuthorizationLevel.Anonymous,
            "get",
            "head",
            "post",
            "put",
            "patch",
            "delete",
            "options",
            Route = "{*path}"
        )]
            HttpRequest request
    )
    {
        await pipeline(request.HttpContext);
        return new EmptyResult();
    }
}
