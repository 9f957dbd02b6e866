using ImagesFunctions.Oci;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Manifests and indexes: what is read and written again reads the same, whatever type they are declared as; what they need is named
/// once; and the only exception is the documented one.
/// </summary>
internal static class ManifestTarget
{
    private static readonly string[] s_types =
    [
        MediaTypes.OciManifest,
        MediaTypes.OciIndex,
        MediaTypes.DockerManifest,
        MediaTypes.DockerList,
    ];

    public static void Check(byte[] input)
    {
        var undeclared = Parse(input, null);
        foreach (var type in s_types)
        {
            if (Parse(input, type) is not { } declared)
            {
                continue;
            }

            Holds.Same(type, declared.MediaType, "the declared type");
            Holds.True(
                undeclared is null
                    || MediaTypes.AreSame(undeclared.MediaType, type)
                    || !ManifestText.SaysItsType(input),
                $"a manifest of {undeclared?.MediaType} is read as {type}"
            );
            CheckOne(declared);
        }

        if (undeclared is not null)
        {
            CheckOne(undeclared);
            Holds.True(Parse(input, undeclared.MediaType) is not null, "what is declared as what it is cannot be read");
        }
    }

    private static void CheckOne(Manifest manifest)
    {
        var text = ManifestText.Write(manifest);
        var again = Parse(text, null) ?? throw new PropertyBrokenException("what was read cannot be read again");
        Holds.True(text.AsSpan().SequenceEqual(ManifestText.Write(again)), "what was read reads differently again");
        Holds.True(
            manifest.Manifests.Count + manifest.Layers.Count <= Manifest.MaxDescriptors,
            "there are more descriptors than are allowed"
        );
        Holds.Same(manifest.IsIndex, manifest.Config is null, "only an index has no config");
        Holds.Same(manifest.IsImage, again.IsImage, "whether it is an image");

        var blobs = manifest.NeededBlobs.Select(d => d.Digest).ToList();
        var manifests = manifest.NeededManifests.Select(d => d.Digest).ToList();
        Holds.Same(blobs.Count + manifests.Count, blobs.Concat(manifests).Distinct().Count(), "each need, once");
        Holds.SameAll(manifests, again.NeededManifests.Select(d => d.Digest), "the needed manifests");
        Holds.SameAll(blobs, again.NeededBlobs.Select(d => d.Digest), "the needed blobs");
        Holds.True(manifest.Config is not { MayBeAbsent: false } config || blobs.Contains(config.Digest), "its config");
    }

    private static Manifest? Parse(byte[] content, string? type)
    {
        try
        {
            return Manifest.Parse(content, type);
        }
        catch (InvalidContentException error)
        {
            Holds.True(error.Message.Length > 0, "a refusal has no reason");
            return null;
        }
    }
}
