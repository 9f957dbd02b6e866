using System.Runtime.CompilerServices;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>
/// Does outside a decision what the service does there with bytes, by the model's blobs. The decisions are the service's own, and find
/// here what they would find there.
/// </summary>
internal static class Steps
{
    /// <summary>As <see cref="ManifestStep.ReadAsync"/>.</summary>
    /// <param name="step">The step.</param>
    /// <param name="blob">The row of the blob that was read.</param>
    /// <param name="isStill">Whether the blob still has the row's ETag.</param>
    public static void Read(ManifestStep step, BlobRow blob, bool isStill)
    {
        SetRead(step, true);
        SetBlob(step, blob);
        if (isStill)
        {
            var manifest = Goods.Parse(step.Path.Digest);
            SetManifest(step, manifest);
            SetDependencies(step, Dependencies.Of(step.Path, manifest));
            SetPrepared(step, new PreparedImage(null!, Goods.Content, step.Path, manifest, ImageState.Complete));
        }
    }

    /// <summary>As <see cref="PreparedImage.MakeAsync"/>.</summary>
    public static void Make(PreparedImage prepared, Digest manifest)
    {
        SetRow(prepared, Goods.RowOf(manifest, prepared.Generation));
        SetTried(prepared, true);
    }

    /// <summary>As <see cref="PushStep.PrepareAsync"/>, with what came of it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="row">The row that the stored blob bears out, or null.</param>
    /// <param name="isCreated">Whether this try has created the blob.</param>
    public static void Store(PushStep step, BlobRow? row, bool isCreated)
    {
        SetTried(step, true);
        SetRow(step, row);
        SetCreated(step, isCreated ? row : null);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_IsRead")]
    private static extern void SetRead(ManifestStep step, bool value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Blob")]
    private static extern void SetBlob(ManifestStep step, BlobRow? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Manifest")]
    private static extern void SetManifest(ManifestStep step, Manifest? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Dependencies")]
    private static extern void SetDependencies(ManifestStep step, IReadOnlyList<DependencyRow> value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Prepared")]
    private static extern void SetPrepared(ManifestStep step, PreparedImage? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Row")]
    private static extern void SetRow(PreparedImage prepared, ImageRow? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_IsTried")]
    private static extern void SetTried(PreparedImage prepared, bool value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_IsTried")]
    private static extern void SetTried(PushStep step, bool value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Row")]
    private static extern void SetRow(PushStep step, BlobRow? value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Created")]
    private static extern void SetCreated(PushStep step, BlobRow? value);
}
