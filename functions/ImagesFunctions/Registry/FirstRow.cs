using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Registry;

/// <summary>
/// The first row that a pull, or a check before a push, needs: of a blob, a tag or an image. It is read while the token is read, if
/// the token was valid before and its account may have a right on the row's namespace. Nobody gets it before the token is known.
/// </summary>
internal static class FirstRow
{
    private sealed record Begun(string Namespace, string Key, Task<(TableRow? Row, DateTimeOffset? Now)> Read);

    /// <summary>Begins to read it, where the request needs one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="account">The account that its credentials claim.</param>
    /// <param name="path">Its path; null: it names no resource.</param>
    public static void Begin(HttpContext context, string account, RegistryPath? path)
    {
        if (
            (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            && path is not null
            && Repository.TryParseDisplayName(path.Name, out var repository)
            && (repository.Namespace == account || repository.Namespace == Repository.Official)
            && KeyOf(path, repository) is { } key
        )
        {
            var rows = context.RequestServices.GetRequiredService<StorageAccount>().ImageRows;
            var read = rows.GetWithTimeAsync(repository.Namespace, key, context.RequestAborted);
            // Where the token is not valid nobody awaits it.
            _ = read.ContinueWith(
                failed => failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
            context.Items[typeof(FirstRow)] = new Begun(repository.Namespace, key, read);
        }
    }

    /// <summary>The row, as it was read since the request came; null where there is none. And the time by the storage's clock.</summary>
    public static Task<(TableRow? Row, DateTimeOffset? Now)> FirstRowAsync(this RegistryRequest request, string key)
    {
        var ns = request.Repository.Namespace;
        return request.Http.Items[typeof(FirstRow)] is Begun begun && begun.Namespace == ns && begun.Key == key
            ? begun.Read
            : request
                .Http.RequestServices.GetRequiredService<StorageAccount>()
                .ImageRows.GetWithTimeAsync(ns, key, request.Stop);
    }

    private static string? KeyOf(RegistryPath path, Repository repository)
    {
        if (Digest.TryParse(path.Last, out var digest))
        {
            return !digest.IsSupported ? null
                : path.Resource == Resource.Blob ? Keys.Blob(repository.App, digest)
                : path.Resource == Resource.Manifest ? Keys.Image(repository.App, digest)
                : null;
        }

        return path.Resource == Resource.Manifest && Reference.IsTag(path.Last)
            ? Keys.Tag(repository.App, path.Last)
            : null;
    }
}
