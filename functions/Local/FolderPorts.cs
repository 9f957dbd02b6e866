using System.Security.Cryptography;
using System.Text.Json;

namespace ImagesFunctions.Local;

/// <summary>
/// The ports of a data folder that was named, kept in it in <c>ports.json</c>: the same at every start, so that a tool that
/// was told of them never meets another store. To be used behind the folder's gate.
/// </summary>
internal sealed class FolderPorts(string folder, TextWriter notes)
{
    // Above the standard ports, and below those that the system hands out to outgoing connections.
    private const int First = 20_000;
    private const int Last = 32_767;

    private AzuritePorts? _kept;

    /// <summary>The ports for an attempt to start: those that are kept, or, where none are, new ones that are kept from now on.</summary>
    /// <exception cref="LocalException">A port that is kept is taken.</exception>
    public AzuritePorts Choose(int attempt)
    {
        if (attempt == 1)
        {
            _kept = Read();
        }

        if (_kept is not null)
        {
            // A second attempt is one after a start that has found a port taken.
            return attempt == 1 && _kept.AllFree ? _kept : throw Taken(_kept);
        }

        var ports = AnyFree();
        Write(ports);
        return ports;
    }

    private string FileName => Path.Combine(folder, "ports.json");

    private AzuritePorts? Read()
    {
        try
        {
            var kept = JsonSerializer.Deserialize<Content>(File.ReadAllText(FileName), Json);
            var ports = kept is null ? null : new AzuritePorts(kept.Blob, kept.Queue, kept.Table);
            if (ports is null || !IsOwn(ports))
            {
                notes.WriteLine($"{FileName} does not name three ports of its own: the folder gets new ones.");
                return null;
            }

            if (kept!.Folder is { } before && !Places.AreSame(before, folder))
            {
                if (File.Exists(Path.Combine(before, "ports.json")))
                {
                    notes.WriteLine($"{folder} is a copy of {before}: it gets ports of its own.");
                    return null;
                }

                // It was moved, and keeps them.
                Write(ports);
            }

            return ports;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            notes.WriteLine($"{FileName} cannot be read: the folder gets new ports.");
            return null;
        }
    }

    private void Write(AzuritePorts ports)
    {
        var next = FileName + ".next";
        File.WriteAllText(
            next,
            JsonSerializer.Serialize(new Content(folder, ports.Blob, ports.Queue, ports.Table), Json) + "\n"
        );
        File.Move(next, FileName, overwrite: true);
    }

    private static AzuritePorts AnyFree()
    {
        while (true)
        {
            // Groups of three begin at the same numbers for every folder: two of them are the same or have no port in common.
            var blob = First + (3 * RandomNumberGenerator.GetInt32((Last - First) / 3));
            var ports = new AzuritePorts(blob, blob + 1, blob + 2);
            if (ports.AllFree)
            {
                return ports;
            }
        }
    }

    // Somebody may have edited the file.
    private static bool IsOwn(AzuritePorts ports)
    {
        int[] all = [ports.Blob, ports.Queue, ports.Table];
        var standard = AzuritePorts.Standard;
        return all.Distinct().Count() == 3
            && all.All(port => port is > 0 and <= 65_535)
            && !all.Intersect([standard.Blob, standard.Queue, standard.Table]).Any();
    }

    private LocalException Taken(AzuritePorts ports) =>
        new(
            $"A port of the data folder {folder} is taken by another program ({ports.Blob}, {ports.Queue} or {ports.Table}); "
                + "other ports might surprise those who know these: end that program, "
                + $"or delete {FileName}, and the folder gets new ones"
        );

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private sealed record Content(string? Folder, int Blob, int Queue, int Table);
}
