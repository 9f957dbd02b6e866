using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>
/// The blobs of a repository: which there are, and their ETags. A request takes effect at one moment, and its answer comes at a later
/// one. It may fail; or its answer gets lost, and the client sends it again at once.
/// </summary>
/// <param name="world">The world.</param>
internal sealed class ModelBlobs(World world)
{
    private readonly Dictionary<Digest, string> _etags = [];
    private int _versions;

    /// <summary>Called when a request has taken effect.</summary>
    public Action Heard { get; set; } = () => { };

    /// <summary>The ETag as it stands, or null.</summary>
    public string? Find(Digest digest) => _etags.GetValueOrDefault(digest);

    /// <summary>Puts a blob there, as anybody may who writes into the container.</summary>
    public string Put(Digest digest) => _etags[digest] = $"e{++_versions}";

    /// <summary>Removes a blob, as anybody may.</summary>
    public void Remove(Digest digest) => _etags.Remove(digest);

    /// <summary>The ETag of a blob, or null.</summary>
    public Task<string?> ETagAsync(Actor actor, Digest digest) => SendAsync(actor, "head", digest, () => Find(digest));

    /// <summary>Writes a blob where none is. Its ETag; null where there is one.</summary>
    public Task<string?> CreateAsync(Actor actor, Digest digest) =>
        SendAsync(actor, "create", digest, () => Find(digest) is null ? Put(digest) : null);

    /// <summary>Removes a blob that has this ETag. False where it has another one.</summary>
    public Task<bool> DeleteAsync(Actor actor, Digest digest, string etag) =>
        SendAsync(
            actor,
            "delete",
            digest,
            () =>
            {
                if (Find(digest) == etag)
                {
                    Remove(digest);
                }

                return Find(digest) is null;
            }
        );

    private Task<T> SendAsync<T>(Actor actor, string what, Digest digest, Func<T> effect)
    {
        var answer = new TaskCompletionSource<T>();
        what = world.IsRecorded ? $"{what} blob {digest.Encoded[..4]}" : "";
        world.Add(actor, StepKind.Request, what, () => Arrive(actor, what, effect, answer));
        return answer.Task;
    }

    private void Arrive<T>(Actor actor, string what, Func<T> effect, TaskCompletionSource<T> answer)
    {
        switch (world.Fate(3))
        {
            case 1:
                var error = new IOException("The connection was cut.");
                world.Add(actor, StepKind.Answer, $"no answer of {what}", () => answer.SetException(error));
                break;
            case 2:
                effect();
                Heard();
                world.Add(actor, StepKind.Request, $"again {what}", () => Arrive(actor, what, effect, answer));
                break;
            default:
                var result = effect();
                Heard();
                world.Say(actor, $"  {result}");
                world.Add(actor, StepKind.Answer, $"answer of {what}", () => answer.SetResult(result));
                break;
        }
    }
}
