using System.CommandLine;

namespace ImagesFunctions.Local;

/// <summary><c>pin</c> and <c>unpin</c>: what is pinned cannot be removed.</summary>
internal static class PinCommands
{
    public static Command Pin(Terminal terminal)
    {
        var name = ImageName.Argument();
        return terminal.Runs(
            Help.Examples(
                new Command("pin", "Pins an image: it cannot be removed before it is unpinned") { name },
                "pin demo/web:v1"
            ),
            async (parsed, images, cancellationToken) =>
            {
                var image = await ImageName.Parse(parsed.GetValue(name))!.FindAsync(images.Stored, cancellationToken);
                if (!await images.Stored.PinAsync(image, cancellationToken))
                {
                    throw new LocalException(
                        $"{image.Repository}@{image.Digest} is no image, or was removed meanwhile."
                    );
                }

                await terminal.Output.WriteLineAsync($"{image.Repository}@{image.Digest} is pinned");
                return 0;
            }
        );
    }

    public static Command Unpin(Terminal terminal)
    {
        var name = ImageName.Argument();
        return terminal.Runs(
            Help.Examples(new Command("unpin", "Ends the pin of an image") { name }, "unpin demo/web:v1"),
            async (parsed, images, cancellationToken) =>
            {
                var image = await ImageName.Parse(parsed.GetValue(name))!.FindAsync(images.Stored, cancellationToken);
                if (!await images.Stored.UnpinAsync(image, cancellationToken))
                {
                    throw new LocalException($"{image.Repository}@{image.Digest} is not pinned.");
                }

                await terminal.Output.WriteLineAsync($"{image.Repository}@{image.Digest} is not pinned any more");
                return 0;
            }
        );
    }
}
