using System.Globalization;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ImagesFunctions.Pages;

/// <summary>A request to a page by who is signed in.</summary>
/// <param name="Http">The request.</param>
/// <param name="Viewer">Who asks.</param>
/// <param name="Rest">The path behind the page's own; "" where it has none.</param>
internal sealed record PageRequest(HttpContext Http, Viewer Viewer, string Rest)
{
    /// <summary>Whether it is a form.</summary>
    public bool IsPost => HttpMethods.IsPost(Http.Request.Method);

    /// <summary>Cancels the operation.</summary>
    public CancellationToken Stop => Http.RequestAborted;

    /// <summary>The only value of a query parameter, without blanks around it; "" where it is absent.</summary>
    public string Query(string name) => Http.Request.Query[name] is [{ } value] ? value.Trim() : "";

    /// <summary>The page of a list that is asked for, from 1 on.</summary>
    public int PageNumber =>
        int.TryParse(Query("page"), NumberStyles.None, CultureInfo.InvariantCulture, out var page)
        && page is > 1 and < 1_000_000
            ? page
            : 1;

    /// <summary>Answers with a page.</summary>
    public Task WriteAsync<TPage>(object view)
        where TPage : Microsoft.AspNetCore.Components.IComponent =>
        PageWriter.WriteAsync<TPage>(Http, StatusCodes.Status200OK, ("Viewer", Viewer), ("View", view));
}

/// <summary>
/// The pages below <c>/browse</c>: one route for the framework, so that an instance which never shows a page makes nothing of them,
/// and a table of the pages here. Whoever is not signed in gets the page for that, whatever the address.
/// </summary>
internal sealed class BrowseRoutes : IMoreRoutes
{
    /// <summary>Where the pages begin.</summary>
    public const string Root = "/browse";

    private static readonly string[] Look = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] Send = [HttpMethods.Post];
    private static readonly string[] Both = [.. Look, .. Send];

    /// <summary>A page.</summary>
    /// <param name="Path">Its path below the root; with a slash at its end: all paths that begin with it.</param>
    /// <param name="Methods">The methods that it has.</param>
    /// <param name="Answer">Answers.</param>
    private sealed record Page(string Path, string[] Methods, Func<PageRequest, Task> Answer)
    {
        public string? RestOf(string path) =>
            path == Path ? (Path.EndsWith('/') ? null : "")
            : Path.EndsWith('/') && path.StartsWith(Path, StringComparison.Ordinal) ? path[Path.Length..]
            : null;
    }

    private static readonly Page[] s_pages =
    [
        new("", Look, ShowRepositories.AnswerAsync),
        new("repository/", Look, ShowRepository.AnswerAsync),
        new("image/", Look, ShowImage.AnswerAsync),
        new("delete/", Both, DeleteForm.AnswerAsync),
        new("problems", Look, ShowProblems.AnswerAsync),
        new("activity", Look, ShowActivity.AnswerAsync),
        new("usage", Both, RulesForm.AnswerAsync),
        new("tokens", Both, TokenForms.AnswerAsync),
        new("tokens/revoke", Send, TokenForms.RevokeAsync),
        new("tokens/trust", Send, TrustForms.AddAsync),
        new("tokens/trust/remove", Send, TrustForms.RemoveAsync),
        new("sign-out", Send, SignInRoute.EndAsync),
    ];

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.Map(Root + "/{*path}", AnswerAsync).WithMetadata(PageErrors.Format);

    private static Task AnswerAsync(HttpContext context)
    {
        var path = (context.Request.Path.Value ?? "")[Root.Length..].TrimStart('/');
        if (path.StartsWith(PageFiles.Folder, StringComparison.Ordinal))
        {
            DemandMethod(context, Look);
            return PageFiles.SendAsync(context, path[PageFiles.Folder.Length..]);
        }

        if (path == SignInRoute.Path)
        {
            DemandMethod(context, Both);
            return SignInRoute.AnswerAsync(context);
        }

        return AnswerSignedInAsync(context, path);
    }

    private static async Task AnswerSignedInAsync(HttpContext context, string path)
    {
        if (await Session.ViewerAsync(context) is not { } viewer)
        {
            SignInRoute.Ask(context);
            return;
        }

        context.Features.Set(viewer);
        foreach (var page in s_pages)
        {
            if (page.RestOf(path) is { } rest)
            {
                DemandMethod(context, page.Methods);
                await page.Answer(new PageRequest(context, viewer, rest));
                return;
            }
        }

        throw PageException.NotFound();
    }

    private static void DemandMethod(HttpContext context, string[] methods)
    {
        if (!Answers.HasMethod(context, methods))
        {
            throw new PageException(
                StatusCodes.Status405MethodNotAllowed,
                Access.IsSafe(context.Request.Method)
                    ? "This address takes a form of a page, and is none itself."
                    : "This page takes no form."
            );
        }
    }
}
