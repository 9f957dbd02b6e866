using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>status</c>, the answer to "why is my drop not listed?".</summary>
internal static class StatusCommand
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static Command Make(Terminal terminal)
    {
        var where = new Argument<string>("namespace[/app]") { Description = "An account, or one app of it" };
        where.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (!Repository.IsNamespace(given) && !Repository.TryParse(given, out _))
            {
                result.AddError(
                    $"'{result.GetValueOrDefault<string?>()}' is neither a namespace nor <namespace>/<app>"
                );
            }
        });
        var form = new OutputForm();
        var command = new Command(
            "status",
            "What is listed, what waits, what was refused and why. Exit code 3: something waits or was refused, or the account is unknown"
        )
        {
            where,
        };
        form.AddTo(command);
        var watching = new Watching();
        watching.AddTo(command);
        Help.Examples(command, "status demo/web", "status demo --output json", "status demo --watch --every 10s");
        return terminal.Runs(
            command,
            (parsed, images, cancellationToken) =>
                watching.RunAsync(
                    terminal,
                    parsed,
                    async stop =>
                    {
                        var parts = parsed.GetValue(where)!.Split('/', 2);
                        var status = await images.StatusAsync(parts[0], parts.ElementAtOrDefault(1), stop);
                        return new Shown(
                            output => WriteAsync(status, form.Of(parsed), output),
                            !status.IsEmpty ? null
                                : parts.Length == 1
                                    ? $"Nothing is known of the account {parts[0]}. An official image is official/<app>."
                                : $"Nothing is known of {parsed.GetValue(where)}.",
                            IsWell(status) ? ExitCode.Done : ExitCode.NotWell
                        );
                    },
                    cancellationToken
                )
        );
    }

    /// <summary>Whether something is listed, and nothing waits, was refused or is still to be looked at.</summary>
    internal static bool IsWell(IngestStatus status) =>
        status.Listed.Count + status.Notes.Count > 0
        && status.Waiting.Count + status.Refused.Count + status.PendingTags.Count + status.Unseen.Count == 0;

    private static async Task WriteAsync(IngestStatus status, string form, TextWriter output)
    {
        switch (form)
        {
            case OutputForm.Table:
                Write(status, output);
                break;
            case OutputForm.Quiet:
                // What is not well; no line where all is.
                foreach (
                    var name in status
                        .Waiting.Select(w => $"{w.Repository}@{w.Manifest}")
                        .Concat(status.Refused.Select(r => r.Path))
                        .Concat(status.PendingTags.Select(t => $"{t.Repository}:{t.Tag}"))
                        .Concat(status.Unseen)
                )
                {
                    await output.WriteLineAsync(name);
                }

                break;
            default:
                await OutputForm.WriteAsync(form, JsonSerializer.SerializeToNode(status, s_json)!, output);
                break;
        }
    }

    /// <summary>Four sections; an empty one is one line.</summary>
    internal static void Write(IngestStatus status, TextWriter output)
    {
        Section(
            "Listed",
            status.Listed,
            image => [$"{image.Repository}@{image.Digest}", $"{Size(image.Size)}, {Tags(image.Tags)}"]
        );
        Section(
            "Waiting",
            status.Waiting,
            manifest =>
                [
                    $"{manifest.Repository}@{manifest.Manifest} needs",
                    .. manifest.Missing.Select(digest => digest == manifest.Manifest ? "its manifest" : digest),
                ]
        );
        Section(
            "Refused",
            status.Refused,
            blob => [blob.Path, $"{blob.State}: {blob.Reason}", blob.At.ToString("u", CultureInfo.InvariantCulture)]
        );
        Section("Pending tags", status.PendingTags, tag => [$"{tag.Repository}:{tag.Tag}", $"waits for {tag.Digest}"]);
        Notes("Not an image", ImageNote.NotImage);
        Notes("Deleted, and still named by index.json", ImageNote.Deleted);
        Notes("Listed without what could not be read", ImageNote.LeftOut);
        if (status.Unseen.Count > 0)
        {
            Section("Not looked at yet (does a server run, or the function app?)", status.Unseen, path => [path]);
        }

        void Notes(string title, string kind)
        {
            if (status.Notes.Where(n => n.Kind == kind).ToList() is { Count: > 0 } notes)
            {
                Section(title, notes, n => [$"{n.Repository}@{n.Manifest}", $"{Tags(n.Tags)}: {n.Reason}"]);
            }
        }

        void Section<T>(string title, IReadOnlyList<T> items, Func<T, string[]> lines) =>
            WriteSection(output, title, items, lines);
    }

    private static void WriteSection<T>(
        TextWriter output,
        string title,
        IReadOnlyList<T> items,
        Func<T, string[]> lines
    )
    {
        output.WriteLine(items.Count == 0 ? $"{title}: none" : $"{title}: {items.Count}");
        foreach (var item in items)
        {
            var said = lines(item);
            output.WriteLine($"  {said[0]}");
            foreach (var more in said[1..])
            {
                output.WriteLine($"    {more}");
            }
        }
    }

    private static string Tags(IReadOnlyList<string> tags) =>
        tags.Count == 0 ? "no tag" : "tagged " + string.Join(", ", tags);

    private static string Size(long bytes) =>
        bytes < 1024 * 1024
            ? $"{bytes} bytes"
            : string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes ({bytes / 1048576.0:0.0} MiB)");
}
