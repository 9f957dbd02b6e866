using System.Globalization;
using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

/// <summary>Manifests as texts.</summary>
internal static class Manifests
{
    public const string ConfigType = "application/vnd.oci.image.config.v1+json";
    public const string LayerType = "application/vnd.oci.image.layer.v1.tar";

    public static readonly string ImageJson = $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor('a', ConfigType)}},
         "layers":[{{Descriptor('b', LayerType)}},{{Descriptor('c', LayerType)}}],"annotations":{"k":"v"} }
        """;

    public static readonly string IndexJson = $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
          {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Hex('d')}}","size":7,
           "platform":{"os":"kraftcloud","architecture":"x86_64","os.features":["CONFIG_X"]},
           "annotations":{"org.opencontainers.image.ref.name":"latest"} },
          {"mediaType":"{{MediaTypes.DockerList}}","digest":"{{Hex('e')}}","size":8}]}
        """;

    public static Manifest Parse(string json, string? declared) =>
        Manifest.Parse(Encoding.UTF8.GetBytes(json), declared);

    public static void AssertRefused(string json, string? declared, string reason)
    {
        var error = Assert.Throws<InvalidContentException>(() => Parse(json, declared));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    public static string Shape(string? own, string shape)
    {
        var type = own is null ? "" : $"\"mediaType\":\"{own}\",";
        return shape == "config"
            ? $"{{{type}\"config\":{Descriptor('a', ConfigType)}}}"
            : $"{{{type}\"manifests\":[]}}";
    }

    public static string With(string members) => $$"""{"manifests":[{ {{members}} }]}""";

    public static string WithSize(string? size) =>
        With($"\"digest\":\"{Hex('a')}\"" + (size is null ? "" : $",\"size\":{size}"));

    public static string Hex(char letter) => "sha256:" + new string(letter, 64);

    public static string Descriptor(char letter, string type) =>
        $$"""{"mediaType":"{{type}}","digest":"{{Hex(letter)}}","size":1}""";

    public static string Descriptor(int number, string type) =>
        $$"""{"mediaType":"{{type}}","digest":"sha256:{{number.ToString("x64", CultureInfo.InvariantCulture)}}","size":1}""";

    public static string Descriptor(Digest digest, string type) =>
        $$"""{"mediaType":"{{type}}","digest":"{{digest}}","size":1}""";

    /// <summary>The manifest of an image of these layers.</summary>
    public static string ImageOf(Digest[] layers, Digest config, string configType = ConfigType) =>
        $$"""
            {"config":{{Descriptor(config, configType)}},
             "layers":[{{string.Join(',', layers.Select(layer => Descriptor(layer, LayerType)))}}]}
            """;

    /// <summary>An index of these manifests, each with its type.</summary>
    public static string IndexOf(params (Digest Digest, string Type)[] manifests) =>
        $$"""{"manifests":[{{string.Join(',', manifests.Select(m => Descriptor(m.Digest, m.Type)))}}]}""";
}
