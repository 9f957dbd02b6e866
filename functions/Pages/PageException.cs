using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Pages;

/// <summary>A request that is answered with a page that says what is wrong.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong, in sentences.</param>
internal sealed class PageException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;

    /// <summary>A 404: what is not there and what the viewer may not see are the same.</summary>
    public static PageException NotFound() =>
        new(StatusCodes.Status404NotFound, "There is nothing at this address, or nothing that you may see.");

    /// <summary>A 400.</summary>
    public static PageException BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    /// <summary>A 403.</summary>
    public static PageException Forbidden(string message) => new(StatusCodes.Status403Forbidden, message);
}

/// <summary>How the pages answer errors: with a page.</summary>
internal static class PageErrors
{
    /// <summary>The metadata of the endpoint.</summary>
    public static readonly IErrorFormat Format = new ErrorFormat<PageException>(
        error =>
            error switch
            {
                PageException page => page,
                AccessDeniedException denied => PageException.Forbidden(denied.Message),
                BadHttpRequestException bad => new PageException(bad.StatusCode, bad.Message),
                _ => null,
            },
        (status, message) => new PageException(status, message),
        (context, error) =>
            PageWriter.WriteAsync<ErrorPage>(
                context,
                error.Status,
                (nameof(ErrorPage.Viewer), context.Features.Get<Viewer>()),
                (nameof(ErrorPage.Title), TitleOf(error.Status)),
                (nameof(ErrorPage.Message), error.Message)
            )
    );

    private static string TitleOf(int status) =>
        status switch
        {
            StatusCodes.Status403Forbidden => "Not allowed",
            StatusCodes.Status404NotFound => "Not found",
            StatusCodes.Status409Conflict => "Not possible now",
            StatusCodes.Status429TooManyRequests => "Too many requests",
            >= StatusCodes.Status500InternalServerError => "Not available",
            _ => "Not understood",
        };
}
