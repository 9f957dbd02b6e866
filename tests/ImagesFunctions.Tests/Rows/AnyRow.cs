using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Rows;

/// <summary>Random rows of each type: every value, and without every value that a row may be without.</summary>
internal static class AnyRow
{
    public static readonly Gen<string> Text = Gen.Frequency(
        (5, Gen.Char["abz019-._/ \"\\<>&'\n\u0001é…"].Array[0, 12].Select(letters => new string(letters))),
        (1, Gen.Const("😀 ҉ \u2028")),
        (1, Gen.Int[1_000, 5_000].Select(length => new string('x', length)))
    );

    public static readonly Gen<Digest> Digest = Gen.Select(
        Gen.Byte.Array[0, 4],
        Gen.Bool,
        (bytes, isLong) => ImagesFunctions.Oci.Digest.Of(isLong ? "sha512" : "sha256", bytes)
    );

    public static readonly Gen<string> App = OneOf("web", "team/web", "a-b.c/d_e");

    // Rows have whole milliseconds, or what the service keeps: 100 nanoseconds.
    public static readonly Gen<DateTimeOffset> Time = Gen.Long[0, 4_000_000_000_000]
        .Select(DateTimeOffset.FromUnixTimeMilliseconds);

    public static readonly Gen<Dependent> By = Gen.OneOf(
        Gen.Const(Dependent.Layout),
        Digest.Select(Dependent.Manifest),
        OneOf("latest", "index.json", "sha256").Select(Dependent.Tag)
    );

    public static readonly Gen<IReadOnlyDictionary<string, string>> Texts = Gen.Select(Text, Text)
        .Array[0, 3]
        .Select(pairs =>
            (IReadOnlyDictionary<string, string>)
                pairs.DistinctBy(p => p.Item1).ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal)
        );

    public static readonly Gen<BlobRow> Blob = Gen.Select(
        Gen.Select(App, Digest),
        Gen.Long[0, long.MaxValue],
        Text,
        Gen.Enum<BlobState>(),
        Gen.Select(Gen.Bool, OrNull(Text), OrNull(Text)),
        Gen.Bool,
        (name, size, etag, state, tar, pushed) =>
            new BlobRow(
                name.Item1,
                name.Item2,
                size,
                etag,
                state,
                // A path that is longer is not kept.
                tar.Item1
                    ? new TarFacts(tar.Item2 is { Length: <= 1024 } ? tar.Item2 : null, tar.Item3)
                    : null
            )
            {
                Pushed = pushed,
            }
    );

    public static readonly Gen<Author> Whom = Gen.Select(
        Gen.Bool,
        Text,
        (isToken, text) => isToken ? Author.OfToken($"t{text}") : Author.OfIdentity($"https://{text}", text)
    );

    public static readonly Gen<TagPush> Push = Gen.Select(
        Time,
        OrNull(Whom),
        (at, by) => new TagPush(DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds()), by)
    );

    public static readonly Gen<TagRow> Tag = Gen.Select(
        App,
        OneOf("latest", "v1", new string('t', 128)),
        Digest,
        OrNull(Text),
        Gen.Bool,
        OrNull(Push),
        (app, tag, digest, generation, fromLayout, push) =>
            new TagRow(app, tag, digest, generation, fromLayout) { Pushed = push }
    );

    public static readonly Gen<DependencyRow> Need = Gen.Select(
        App,
        Digest,
        By,
        OrNull(Text),
        Gen.Bool,
        (app, needed, by, type, deleted) => new DependencyRow(app, needed, by, type) { Deleted = deleted }
    );

    public static readonly Gen<BootRow> Boot = Gen.Select(
        App,
        Digest,
        Digest,
        Text,
        (app, tar, image, tag) => new BootRow(app, tar, image, tag)
    );

    public static readonly Gen<ReferrerRow> Referrer = Gen.Select(
        App,
        Gen.Select(Digest, Digest),
        Text,
        Gen.Long[0, long.MaxValue],
        OrNull(Text),
        OrNull(Texts),
        (app, digests, type, size, artifactType, annotations) =>
            new ReferrerRow(
                app,
                digests.Item1,
                digests.Item2,
                type,
                size,
                artifactType is { Length: <= 1024 } ? artifactType : null,
                annotations
            )
    );

    public static readonly Gen<RefusedRow> Refused = Gen.Select(
        OneOf("alice/web/x", "alice/../x", "x", ""),
        Text,
        OrNull(Text),
        Gen.Bool,
        Time,
        Time,
        (path, reason, actual, isFailure, at, expires) => new RefusedRow(path, reason, actual, isFailure, at, expires)
    );

    public static readonly Gen<UploadRow> Upload = Gen.Select(
        App,
        Gen.Byte.Array[16].Select(Convert.ToHexStringLower),
        OneOf("sha256", "sha512"),
        Gen.Select(Gen.Byte.Array[6].Select(Convert.ToHexStringLower), Gen.Long[1, long.MaxValue / 1_000]).Array[0, 20],
        Time,
        OrNull(Gen.Byte.Array[1, 20]),
        (app, id, algorithm, parts, updated, inline) =>
            new UploadRow(app, id, algorithm, [.. parts.Select(p => new UploadPart(p.Item1, p.Item2))], updated)
            {
                Inline = inline is null ? default(ReadOnlyMemory<byte>?) : inline,
            }
    );

    public static readonly Gen<ImagePin> Pin = Gen.Select(
        Time,
        Gen.Bool,
        Gen.Long[0, 1L << 40],
        (since, ends, milliseconds) => new ImagePin(since, ends ? TimeSpan.FromMilliseconds(milliseconds) : null)
    );

    public static readonly Gen<StoredManifest> StoredManifest = Gen.Select(
        Text,
        Gen.Long[0, long.MaxValue],
        (etag, size) => new StoredManifest(etag, size)
    );

    public static readonly Gen<ImageFacts> Facts = Gen.Select(
        Text.Array[0, 3],
        Text.Array[0, 3],
        Texts,
        Gen.Select(Gen.Bool, Gen.Bool, Text, OrNull(Text)),
        Gen.Select(Gen.Enum<ComponentRole>(), Digest, Text, Gen.Long[0, long.MaxValue], Texts).Array[0, 2],
        Gen.Select(OrNull(Text), OrNull(Text), Digest).Array[0, 2],
        (args, env, labels, rest, components, platforms) =>
            new ImageFacts
            {
                Args = args,
                Env = env,
                Labels = labels,
                Initrd = rest.Item1,
                Rom = rest.Item2,
                KernelArgs = rest.Item3,
                Created = rest.Item4,
                Components =
                [
                    .. components.Select(c => new ImageComponent(c.Item1, $"{c.Item2}", c.Item3, c.Item4, c.Item5)),
                ],
                Platforms = [.. platforms.Select(p => new ImagePlatform(p.Item1, p.Item2, $"{p.Item3}"))],
            }
    );

    public static readonly Gen<ImageRow> Image = Gen.Select(
        Gen.Select(App, Digest, Text, OrNull(Digest)),
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Bool, OrNull(Text), OrNull(Text)),
        Gen.Select(Text, Gen.Enum<ImageState>(), Gen.Bool, Time, OrNull(Pin), OrNull(StoredManifest)),
        Digest.Array[0, 3],
        Gen.Select(Digest, Gen.Long[0, long.MaxValue]).Array[0, 3],
        Gen.Select(Facts, OrNull(Whom)),
        (name, said, life, children, parts, facts) =>
            new ImageRow(name.Item1, name.Item2)
            {
                MediaType = name.Item3,
                Subject = name.Item4,
                Size = said.Item1,
                IsImage = said.Item2,
                NotImage = said.Item3,
                LeftOut = said.Item4,
                Generation = life.Item1,
                State = life.Item2,
                Committed = life.Item3 ? life.Item4 : null,
                Pin = life.Item5,
                Stored = life.Item6,
                IsTruncated = life.Item3,
                Children = [.. children.Select(c => $"{c}")],
                BlobSizes = parts.DistinctBy(p => p.Item1).ToDictionary(p => $"{p.Item1}", p => p.Item2),
                Facts = facts.Item1,
                PushedBy = facts.Item2,
            }
    );

    /// <summary>The row as a later request reads it from the table.</summary>
    public static TableRow Stored(TableRow row)
    {
        var entity = row.ToEntity("alice");
        entity.ETag = new Azure.ETag("\"1\"");
        entity.Timestamp = DateTimeOffset.UnixEpoch;
        return ImagesFunctions.Storage.StoredTable.Row(entity);
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static Gen<T?> OrNull<T>(Gen<T> some)
        where T : class => Gen.Frequency((1, Gen.Const(() => (T?)null)), (2, some.Select(value => (T?)value)));
}
