using System.CommandLine;
using System.Text.Json.Nodes;
using ImagesFunctions.Images;

namespace ImagesFunctions.Local;

/// <summary><c>show</c>: what an image is made of, and what belongs to it.</summary>
internal static class ShowCommand
{
    public static Command Make(Terminal terminal)
    {
        var name = ImageName.Argument(repositories: true);
        var form = new OutputForm();
        var show = new Command(
            "show",
            "Shows what an image is made of: layers, platforms, kernel, config, referrers; or the images of a repository"
        )
        {
            name,
        };
        form.AddTo(show);
        var watching = new Watching();
        watching.AddTo(show);
        Help.Examples(show, "show demo/web:latest", "show demo/web@sha256:1f3c5e7a9b2d --output json", "show hello");
        return terminal.Runs(
            show,
            (parsed, images, cancellationToken) =>
                watching.RunAsync(
                    terminal,
                    parsed,
                    stop => LookAsync(form.Of(parsed), ImageName.Parse(parsed.GetValue(name))!, images, stop),
                    cancellationToken
                )
        );
    }

    private static async Task<Shown> LookAsync(
        string form,
        ImageName asked,
        ImagesApp images,
        CancellationToken cancellationToken
    )
    {
        if (asked.IsRepository)
        {
            return await LookAtRepositoryAsync(form, asked, images, cancellationToken);
        }

        var image = await asked.FindAsync(images.Stored, cancellationToken);
        var details =
            await images.Stored.DetailsAsync(image, cancellationToken)
            ?? throw new LocalException($"{image.Repository}@{image.Digest} was removed meanwhile.");
        return new Shown(async output =>
        {
            switch (form)
            {
                case OutputForm.Quiet:
                    await output.WriteLineAsync($"{image.Repository}@{image.Digest}");
                    break;
                case OutputForm.Table:
                    new ImageText(output).Write(details);
                    break;
                case var other:
                    await OutputForm.WriteAsync(other, ImageJson.Of(details), output);
                    break;
            }
        });
    }

    private static async Task<Shown> LookAtRepositoryAsync(
        string form,
        ImageName asked,
        ImagesApp images,
        CancellationToken cancellationToken
    )
    {
        var repository = asked.Repository;
        var all = await images.Stored.ListAsync(repository.Namespace, repository.App, cancellationToken);
        if (all.Count == 0)
        {
            throw new LocalException($"The repository {repository.DisplayName} has no image that is listed.");
        }

        return new Shown(async output =>
        {
            switch (form)
            {
                case OutputForm.Quiet:
                    await output.WriteLineAsync(repository.ToString());
                    break;
                case OutputForm.Table:
                    Screen.WriteTable(
                        output,
                        [.. LsCommand.Columns.Select(c => (c.Name, c.IsNumber))],
                        all.Select(image => LsCommand.Columns.Select(c => c.TextOf(image)).ToList())
                    );
                    break;
                default:
                    await OutputForm.WriteAsync(form, Json(repository.ToString(), all), output);
                    break;
            }
        });
    }

    private static JsonObject Json(string repository, IReadOnlyList<StoredImage> images) =>
        new()
        {
            ["repository"] = repository,
            ["images"] = new JsonArray([
                .. images.Select(image => new JsonObject(
                    LsCommand.Columns.Select(c => KeyValuePair.Create(c.Name, Values.Json(c.Value(image))))
                )),
            ]),
        };
}
