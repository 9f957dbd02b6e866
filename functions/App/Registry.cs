using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace ImagesFunctions.App;

/// <summary>The OCI Distribution API, <c>/v2</c>.</summary>
public sealed class Registry(RequestDelegate pipeline)
{
    [Function(nameof(Registry))]
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
            Route = "v2/{*path}"
        )]
            HttpRequest request
    )
    {
        await pipeline(request.HttpContext);
        return new EmptyResult();
    }
}
