using System.CommandLine;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>push</c>, <c>pull</c> and <c>copy</c>: images to and from registries. They need no storage account.</summary>
internal static class TransferCommands
{
    private const string UnknownImage = "is no image: use <repository>:<tag> or <repository>@sha256:<hex>";

    public static Command Push(Terminal terminal)
    {
        var source = DropCommand.Source();
        var (name, registry) = (Name(), new RegistryOptions(""));
        var push = new Command(
            "push",
            "Pushes a layout or an archive to a registry; a push that was ended goes on where it was"
        )
        {
            source,
            name,
        };
        registry.AddTo(push, withAddress: true);
        Help.Examples(
            push,
            "push ./alpine demo/alpine:latest",
            "push image.tar demo/web:v1.2 --registry https://images.example.net"
        );
        push.SetAction(
            async (parsed, cancellationToken) =>
            {
                var to = RegistryAddress.Parse(registry.AddressOf(parsed), parsed.GetValue(name))!;
                var files = await ImageFiles.OpenAsync(parsed.GetValue(source)!, cancellationToken);
                var root = OnlyImage(files, to);
                var progress = new TransferProgress(terminal.Errors);
                using var client = new RemoteRegistry(to.Registry, registry.LoginOf(parsed), progress.Note);
                var image = new ImagePush(new FilesSource(files), client, to, progress);
                await progress.RunAsync(() => image.RunAsync(root, cancellationToken));
                return await EndAsync(terminal, progress, $"{to}", root);
            }
        );
        return push;
    }

    public static Command Pull(Terminal terminal)
    {
        var (name, registry) = (Name(), new RegistryOptions(""));
        var folder = new Argument<string>("folder") { Description = "An OCI image layout, which is made or added to" };
        var pull = new Command(
            "pull",
            "Pulls an image into an OCI image layout; a pull that was ended goes on where it was"
        )
        {
            name,
            folder,
        };
        registry.AddTo(pull, withAddress: true);
        Help.Examples(pull, "pull demo/alpine:latest ./alpine");
        pull.SetAction(
            async (parsed, cancellationToken) =>
            {
                var image = RegistryAddress.Parse(registry.AddressOf(parsed), parsed.GetValue(name))!;
                var progress = new TransferProgress(terminal.Errors);
                using var client = new RemoteRegistry(image.Registry, registry.LoginOf(parsed), progress.Note);
                Digest? root = null;
                await progress.RunAsync(async () =>
                    root = await new ImagePull(client, image, parsed.GetValue(folder)!, progress).RunAsync(
                        cancellationToken
                    )
                );
                return await EndAsync(terminal, progress, parsed.GetValue(folder)!, root!);
            }
        );
        return pull;
    }

    public static Command Copy(Terminal terminal)
    {
        var (from, to) = (WithRegistry("from"), WithRegistry("to"));
        var (source, target) = (new RegistryOptions("source-"), new RegistryOptions(""));
        var copy = new Command("copy", "Copies an image from one registry to another, with all its platforms")
        {
            from,
            to,
        };
        source.AddTo(copy, withAddress: false);
        target.AddTo(copy, withAddress: false);
        Help.Examples(copy, "copy alpine:3.20 127.0.0.1:7071/demo/alpine:3.20");
        copy.SetAction(
            async (parsed, cancellationToken) =>
            {
                var (image, place) = (
                    RegistryAddress.Parse(parsed.GetValue(from))!,
                    RegistryAddress.Parse(parsed.GetValue(to))!
                );
                var progress = new TransferProgress(terminal.Errors);
                using var reader = new RemoteRegistry(image.Registry, source.LoginOf(parsed), progress.Note);
                using var writer = new RemoteRegistry(place.Registry, target.LoginOf(parsed), progress.Note);
                Digest? root = null;
                await progress.RunAsync(async () =>
                {
                    var found =
                        await reader.ManifestAsync(image, image.Reference, cancellationToken)
                        ?? throw new LocalException($"there is no image {image}");
                    root = found.Digest;
                    await new ImagePush(new RegistrySource(reader, image), writer, place, progress).RunAsync(
                        root,
                        cancellationToken
                    );
                });
                return await EndAsync(terminal, progress, $"{place}", root!);
            }
        );
        return copy;
    }

    private static Argument<string> Name()
    {
        var name = new Argument<string>("repository:tag") { Description = "Such as demo/web:v1.2" };
        name.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (RegistryAddress.Parse(new Uri(LocalHost.DefaultUrl), given) is null)
            {
                result.AddError($"'{given}' {UnknownImage}");
            }
        });
        return name;
    }

    private static Argument<string> WithRegistry(string which)
    {
        var name = new Argument<string>(which)
        {
            Description =
                "Registry, repository and tag, such as 127.0.0.1:7071/demo/web:v1; a name without a registry is Docker Hub's",
        };
        name.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (RegistryAddress.Parse(given) is null)
            {
                result.AddError($"'{given}' {UnknownImage}, with the registry before it");
            }
        });
        return name;
    }

    // Of several images in a layout the one that has this tag.
    private static Digest OnlyImage(ImageFiles files, RegistryAddress to)
    {
        var images = files.Images;
        var digests = images.Select(i => i.Digest).Distinct().ToList();
        if (digests.Count == 1)
        {
            return digests[0];
        }

        var named = images.Where(i => i.Tag == to.Reference || i.Digest.ToString() == to.Reference).ToList();
        return named.Count > 0
            ? named[0].Digest
            : throw new LocalException(
                $"{files.Name} has {digests.Count} images, and none is tagged {to.Reference}: {Values.Text(images.Select(i => i.Tag ?? i.Digest.ToString()).ToList())}"
            );
    }

    private static async Task<int> EndAsync(Terminal terminal, TransferProgress progress, string where, Digest root)
    {
        await terminal.Errors.WriteLineAsync(progress.Summary);
        await terminal.Output.WriteLineAsync($"{where} {root}");
        return ExitCode.Done;
    }
}

/// <summary>The options that name a registry and who asks it.</summary>
internal sealed class RegistryOptions
{
    private readonly string _variable;
    private readonly Option<string?> _address;
    private readonly Option<string?> _token;
    private readonly Option<string?> _user;

    /// <summary>Makes them.</summary>
    /// <param name="prefix">What their names begin with: where a command has two registries.</param>
    public RegistryOptions(string prefix)
    {
        _variable = $"IMAGES_{prefix.Replace('-', '_').ToUpperInvariant()}";
        _address = new Option<string?>($"--{prefix}registry")
        {
            Description = $"Its address (default: {_variable}REGISTRY, else {LocalHost.DefaultUrl})",
        };
        _address.Validators.Add(result =>
        {
            if (!LocalHost.IsUrl(result.GetValueOrDefault<string?>() ?? ""))
            {
                result.AddError($"'{result.GetValueOrDefault<string?>()}' is no address like {LocalHost.DefaultUrl}");
            }
        });
        _token = new Option<string?>($"--{prefix}token")
        {
            Description =
                $"A token, as `token create` prints it (better: {_variable}TOKEN, which no list of processes shows)",
        };
        _user = new Option<string?>($"--{prefix}user")
        {
            Description = $"A user, whose password is in {_variable}PASSWORD (default: {_variable}USER)",
        };
    }

    /// <summary>Gives them to a command.</summary>
    public void AddTo(Command command, bool withAddress)
    {
        if (withAddress)
        {
            command.Options.Add(_address);
        }

        command.Options.Add(_token);
        command.Options.Add(_user);
    }

    /// <summary>The registry.</summary>
    public Uri AddressOf(ParseResult parsed)
    {
        var named = parsed.GetValue(_address) ?? Variable("REGISTRY") ?? LocalHost.DefaultUrl;
        return LocalHost.IsUrl(named)
            ? new Uri(named)
            : throw new UsageException(
                $"{_variable}REGISTRY is '{named}', which is no address like {LocalHost.DefaultUrl}"
            );
    }

    /// <summary>Who asks it.</summary>
    public RegistryLogin LoginOf(ParseResult parsed) =>
        new(
            parsed.GetValue(_token) ?? Variable("TOKEN"),
            parsed.GetValue(_user) ?? Variable("USER"),
            Variable("PASSWORD")
        );

    private string? Variable(string name) =>
        Environment.GetEnvironmentVariable(_variable + name) is { Length: > 0 } value ? value : null;
}
