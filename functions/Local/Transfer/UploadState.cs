using System.Security.Cryptography;
using System.Text;

namespace ImagesFunctions.Local;

/// <summary>
/// The address of an upload session that was begun, in a small file of the user's, so that the next push of the same bytes asks the session how
/// far it came and goes on. While a push works on it no other one does: that begins a session of its own.
/// </summary>
internal sealed class UploadState : IDisposable
{
    private readonly string? _file;
    private readonly FileLock? _alone;

    private UploadState(string? file, FileLock? alone) => (_file, _alone) = (file, alone);

    /// <summary>The folder of these files: the variable <c>IMAGES_STATE</c>, else one of the user's.</summary>
    public static string Folder =>
        Environment.GetEnvironmentVariable("IMAGES_STATE") is { Length: > 0 } named
            ? named
            : Path.Combine(
                Environment.GetFolderPath(
                    Environment.SpecialFolder.LocalApplicationData,
                    Environment.SpecialFolderOption.DoNotVerify
                ),
                "ImagesFunctions",
                "uploads"
            );

    /// <summary>The address of the session; null where none was begun.</summary>
    public string? Session
    {
        get => _file is not null && File.Exists(_file) ? File.ReadAllText(_file).Trim() : null;
        set
        {
            if (_file is null)
            {
                return;
            }

            if (value is null)
            {
                File.Delete(_file);
                return;
            }

            // Whole or not there: this process may be killed.
            var next = $"{_file}.next";
            File.WriteAllText(next, value);
            File.Move(next, _file, overwrite: true);
        }
    }

    /// <summary>The state of a push of these bytes to there. Where no file can be written, nothing is remembered.</summary>
    public static UploadState Open(Uri registry, string repository, string digest)
    {
        var name = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{registry.Authority}\n{repository}\n{digest}"))
        );
        try
        {
            Directory.CreateDirectory(Folder);
            var file = Path.Combine(Folder, name[..32]);
            return FileLock.TryTake($"{file}.lock", alone: true, out var alone)
                ? new UploadState(file, alone)
                : new UploadState(null, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new UploadState(null, null);
        }
    }

    /// <summary>Lets it go.</summary>
    public void Dispose()
    {
        if (_file is not null && !File.Exists(_file))
        {
            // Whoever opens it at this moment has a lock of nothing, and at worst sends bytes twice.
            File.Delete($"{_file}.lock");
        }

        _alone?.Dispose();
    }
}
