using System.Formats.Tar;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Contract;

/// <summary>An image to boot, and the tar that it is served as.</summary>
public abstract class AgainstBootTars(KestrelFixture fixture) : AgainstAHost(fixture)
{
    protected sealed record Entry(string Name, byte[] Bytes, int Uid, int Gid, DateTimeOffset Time, UnixFileMode Mode);

    protected static IReadOnlyList<Entry> Entries(byte[] tar)
    {
        var entries = new List<Entry>();
        using var reader = new TarReader(new MemoryStream(tar));
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            using var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            entries.Add(
                new Entry(entry.Name, bytes.ToArray(), entry.Uid, entry.Gid, entry.ModificationTime, entry.Mode)
            );
        }

        return entries;
    }

    protected async Task<byte[]> TarAsync(string account, string token, string tag)
    {
        var found = await Host.AskAsync($"/boot/{account}/team/web/{tag}", token);
        return (await Host.AskAsync(found["Location"]!, token)).Body;
    }

    protected static string DigestOf(Layout layout) =>
        JsonNode.Parse(layout.Files["index.json"])!["manifests"]![0]!["digest"]!.GetValue<string>();

    // An index of an attestation, a container image and a unikernel.
    protected async Task<(string Account, string Token, Layout Layout)> ImageAsync()
    {
        var account = Drop.Fresh("boots");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var (linux, kraft, attestation) = (
            layout.AddImage("linux"),
            layout.AddImage("kraftcloud"),
            layout.AddImage("attestation")
        );
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(attestation, "unknown", "unknown"),
            Layout.For(linux, "linux", "amd64"),
            Layout.For(kraft, "kraftcloud", "x86_64")
        );
        layout.Index(Layout.Tagged(index, "v1"), Layout.Tagged(index, "latest"));
        await Host.LayoutAsync($"{account}/team/web", layout);
        await Host.ListedAsync(token, account, $"{account}/team/web@{Layout.Digest(index)}");
        await IsBootableAsync(account, token);
        return (account, token, layout);
    }

    protected Task IsBootableAsync(string account, string token) =>
        Until.TrueAsync(
            async () =>
                (await Host.AskAsync($"/boot/{account}/team/web/v1", token)).Status == 302
                && (await Host.AskAsync($"/boot/{account}/team/web/latest", token)).Status == 302,
            () => Host.ExplainAsync(account)
        );
}
