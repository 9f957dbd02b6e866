using Azure;

namespace ImagesFunctions.Storage;

/// <summary>
/// Storage has a blob and keeps it as it is, for a reason that no other try changes: only whoever put it there does. What was
/// asked for has not happened.
/// </summary>
/// <param name="path">The blob, inside its container.</param>
/// <param name="code">Storage's own code for the reason, one of those that mean <see cref="StorageMeaning.Held"/>.</param>
/// <param name="inner">What storage said, where it was asked to; else it was looked up.</param>
internal sealed class StorageHeldException(string path, string code, Exception? inner = null)
    : Exception($"Storage keeps {path} as it is: {StorageCodes.CauseOf(code)} ({code}).", inner)
{
    /// <summary>Storage's own code for the reason.</summary>
    public string Code => code;

    /// <summary>What storage said when it was asked to do something with a blob.</summary>
    public static StorageHeldException Of(string path, RequestFailedException error) =>
        new(path, StorageCodes.CodeOf(error) ?? "", error);
}
