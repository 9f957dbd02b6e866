using System.Globalization;
using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/tokens</c>: lists, makes and revokes tokens, for who may do everything in the account.</summary>
internal static class TokenForms
{
    /// <summary>Where a form makes one.</summary>
    public const string Path = BrowseRoutes.Root + "/tokens";

    /// <summary>Where a form revokes one.</summary>
    public const string RevokePath = Path + "/revoke";

    private const int MaxShown = 1_000;
    private static readonly char[] s_blanks = [' ', ',', '\r', '\n'];

    /// <summary>Lists them, or makes one.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        Demand(request.Viewer);
        if (!request.IsPost)
        {
            await ShowAsync(request, StatusCodes.Status200OK, made: "", wrong: "");
            return;
        }

        var form = await Forms.ReadAsync(request.Http, request.Viewer);
        try
        {
            var grant = Grant.Parse(
                string.Join(',', form.All("allow")) is { Length: > 0 } allow
                    ? allow
                    : throw new FormatException("choose at least one right"),
                form["repositories"].Split(s_blanks, StringSplitOptions.RemoveEmptyEntries)
            );
            // Nothing but what was made is shown: its text is not stored anywhere, so it cannot be asked for by GET.
            var (_, text) = await Tokens(request)
                .CreateAsync(request.Viewer.Account, Lifetime(form["days"]), grant, request.Stop);
            await ShowAsync(request, StatusCodes.Status200OK, text, wrong: "");
        }
        catch (FormatException wrong)
        {
            await ShowAsync(
                request,
                StatusCodes.Status422UnprocessableEntity,
                made: "",
                $"No token was made: {wrong.Message}."
            );
        }
    }

    /// <summary>Revokes one.</summary>
    public static async Task RevokeAsync(PageRequest request)
    {
        Demand(request.Viewer);
        var form = await Forms.ReadAsync(request.Http, request.Viewer);
        if (!await Tokens(request).RevokeAsync(request.Viewer.Account, form["id"], request.Stop))
        {
            throw PageException.NotFound();
        }

        PageWriter.SeeOther(request.Http, Path);
    }

    private static void Demand(Viewer viewer)
    {
        if (!viewer.HasAllRights)
        {
            throw PageException.Forbidden("Tokens are shown to who may do everything in the account.");
        }
    }

    private static Tokens Tokens(PageRequest request) => request.Http.RequestServices.GetRequiredService<Tokens>();

    private static TimeSpan? Lifetime(string days) =>
        days.Length == 0 ? null
        : int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is > 0 and <= 36_500
            ? TimeSpan.FromDays(number)
        : throw new FormatException($"'{days}' is no number of days");

    private static async Task ShowAsync(PageRequest request, int status, string made, string wrong)
    {
        var lines = await Tokens(request)
            .ListAsync(request.Viewer.Account, request.Stop)
            .Take(MaxShown)
            .Select(t => new TokenLine(
                t.Id,
                t.Grant?.Allow.Replace(",", ", ", StringComparison.Ordinal) ?? "nothing that this version knows",
                t.Grant?.RepositoriesText ?? "",
                t.Created,
                t.Expires,
                t.IsExpired
            ))
            .ToListAsync(request.Stop);
        var now = request.Http.RequestServices.GetRequiredService<StorageClock>().UtcNow;
        await PageWriter.WriteAsync<TokensPage>(
            request.Http,
            status,
            ("Viewer", request.Viewer),
            ("View", new TokensView([.. lines.OrderByDescending(l => l.Created)], made, wrong, now))
        );
    }
}
