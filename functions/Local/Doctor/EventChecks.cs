using System.Text;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>Checks of what became of events: those that were given up, and blobs that failed five times.</summary>
internal sealed class EventChecks(Examined examined)
{
    private const string DeadLetters = "dead letters";
    private const string Poison = "poison queue";
    private const int MaxFiles = 1_000;
    private const int MaxMessages = 32;
    private const int MaxFileBytes = 1024 * 1024;

    // A sweep an hour takes them in; the second one would have come.
    private static readonly TimeSpan s_late = TimeSpan.FromHours(2);

    /// <summary>Looks at what Event Grid could not deliver.</summary>
    public Task<Check> DeadLettersAsync(CancellationToken cancellationToken) =>
        examined.AtAsync(
            DeadLetters,
            async stop =>
            {
                var files = new List<BlobItem>();
                try
                {
                    var all = examined.Storage.DeadLetters.GetBlobsAsync(cancellationToken: stop);
                    await foreach (var file in all.Take(MaxFiles).WithCancellation(stop))
                    {
                        files.Add(file);
                    }
                }
                catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
                {
                    return new Check(
                        DeadLetters,
                        Check.Failed,
                        "there is no container for them, so that Event Grid loses what it gives up",
                        examined.Mends.Container(StorageAccount.DeadLettersContainer)
                    );
                }

                return files.Count == 0 ? new Check(DeadLetters, Check.Ok, "none") : await OfAsync(files, stop);
            },
            cancellationToken,
            Expected.BlobRole
        );

    /// <summary>Looks at the poison queue, and takes nothing from it.</summary>
    public Task<Check> PoisonAsync(CancellationToken cancellationToken) =>
        examined.Poison is not { } queue
            ? Task.FromResult(
                new Check(
                    Poison,
                    Check.Unknown,
                    "the address of the account's queues is not known",
                    $"export {StorageAccount.Section}__queueServiceUri=https://{examined.Storage.Images.AccountName}.queue.core.windows.net/"
                )
            )
            : examined.AtAsync(Poison, stop => PoisonAsync(queue, stop), cancellationToken, Expected.QueueRole);

    private async Task<Check> PoisonAsync(QueueClient queue, CancellationToken cancellationToken)
    {
        try
        {
            var properties = await queue.GetPropertiesAsync(cancellationToken);
            var count = properties.Value.ApproximateMessagesCount;
            var messages = (await queue.PeekMessagesAsync(MaxMessages, cancellationToken)).Value;
            if (messages.Length == 0)
            {
                return count == 0
                    ? new Check(Poison, Check.Ok, "empty")
                    : new Check(
                        Poison,
                        Check.Warning,
                        $"about {count} messages, all in somebody's hands",
                        examined.Mends.Drain([])
                    );
            }

            var paths = messages.Select(m => PathOf(m.MessageText)).OfType<string>().ToList();
            var namespaces = paths.Select(p => p.Split('/')[0]).Distinct(StringComparer.Ordinal).ToList();
            var known = count <= messages.Length && paths.Count == messages.Length;
            return new Check(
                Poison,
                Check.Failed,
                $"{count} blobs failed five times{(paths.Count > 0 ? $", such as {paths[0]}" : "")}",
                examined.Mends.Drain(known ? namespaces : [])
            );
        }
        catch (RequestFailedException error) when (error.Status == StatusCodes.Status404NotFound)
        {
            return new Check(Poison, Check.Warning, "not there: an alert counts on it", examined.Mends.MakeQueue);
        }
    }

    /// <summary>The path of the blob that a message of the host is about; null where it says none.</summary>
    /// <param name="message">JSON, or Base64 of it: both have been the host's default.</param>
    internal static string? PathOf(string message)
    {
        try
        {
            var text = message.TrimStart().StartsWith('{')
                ? message
                : Encoding.UTF8.GetString(Convert.FromBase64String(message));
            using var json = JsonDocument.Parse(text);
            return json.RootElement.Text("BlobName");
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            return null;
        }
    }

    private async Task<Check> OfAsync(List<BlobItem> files, CancellationToken cancellationToken)
    {
        var oldest = files.MinBy(f => f.Properties.LastModified)!;
        var age = examined.Storage.Now - (oldest.Properties.LastModified ?? examined.Storage.Now);
        var count = files.Count == MaxFiles ? $"{MaxFiles} files or more" : $"files: {files.Count}";
        var reason = await ReasonAsync(oldest, cancellationToken);
        var detail = $"{count}, the oldest {Math.Max(0, (long)age.TotalMinutes)} minutes old{reason}";
        return age > s_late
            ? new Check(DeadLetters, Check.Failed, $"{detail}: the sweeper has not taken it in", Mends.Collect())
            : new Check(DeadLetters, Check.Warning, $"{detail}: the next sweep takes it in", Mends.Collect());
    }

    // Why the first event of a file was given up.
    private async Task<string> ReasonAsync(BlobItem file, CancellationToken cancellationToken)
    {
        if (file.Properties.ContentLength is not <= MaxFileBytes)
        {
            return "";
        }

        try
        {
            var blob = examined.Storage.DeadLetters.GetBlobClient(file.Name);
            var content = await blob.DownloadContentAsync(cancellationToken);
            using var json = JsonDocument.Parse(content.Value.Content.ToMemory());
            return
                json.RootElement.ValueKind == JsonValueKind.Array
                && json.RootElement.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
                && first.Text("deadLetterReason") is { } reason
                ? $" ({reason})"
                : "";
        }
        catch (Exception error) when (error is JsonException or RequestFailedException)
        {
            // Taken in meanwhile, or unreadable: that is the sweeper's to tell.
            return "";
        }
    }
}
