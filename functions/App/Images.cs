using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace ImagesFunctions.App;

/// <summary>The Images API, <c>/v1</c>.</summary>
public sealed class Images(RequestDelegate pipeline)
{
    [Function(nameof(Images))]
    public async Task<IActionResult> Run(
        [HttpTrigger(
            AuthorizationLevel.Anonymous, // The pipeline knows the accounts; the host's own keys are not ours.
            "get",
            "head",
            "post",
            "put",
            "patch",
            "delete",
            "options",
            Route = "v1/{*path}"
        )]
            HttpRequest request
    )
    {
        await pipeline(request.HttpContext);
        return new EmptyResult();
    }
}
