using System.CommandLine;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>tag</c>: gives an image another tag.</summary>
internal static class TagCommand
{
    public static Command Make(Terminal terminal)
    {
        var name = ImageName.Argument();
        var tag = new Argument<string>("new-tag") { Description = "The tag; where another image has it, it moves" };
        tag.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (!Reference.IsTag(given))
            {
                result.AddError(
                    $"'{given}' is no tag: up to 128 letters, digits, '_', '.' and '-', the first no '.' or '-'. It is set in the same repository"
                );
            }
        });
        return terminal.Runs(
            Help.Examples(
                new Command("tag", "Sets a tag on an image, or moves it there") { name, tag },
                "tag demo/web:v1.2 latest",
                "tag demo/web@sha256:1f3c5e7a9b2d stable"
            ),
            async (parsed, images, cancellationToken) =>
            {
                var image = await ImageName.Parse(parsed.GetValue(name))!.FindAsync(images.Stored, cancellationToken);
                var named = $"{image.Repository}:{parsed.GetValue(tag)}";
                var before = await images.Stored.FindAsync(ImageName.Reference(named), cancellationToken);
                if (!await images.Stored.TagAsync(image, parsed.GetValue(tag)!, cancellationToken))
                {
                    throw new LocalException($"{image.Repository}@{image.Digest} is not complete any more.");
                }

                await terminal.Output.WriteLineAsync($"{named} is {image.Digest}");
                if (before is not null && before.Digest != image.Digest)
                {
                    await terminal.Errors.WriteLineAsync($"It was {before.Digest}.");
                }

                return 0;
            }
        );
    }
}
