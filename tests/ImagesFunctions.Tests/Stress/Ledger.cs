using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace ImagesFunctions.Tests.Stress;

/// <summary>
/// What was acknowledged and not taken back since: what has to be there in the end, and nothing else. Who changes one image or
/// tag in two ways at the same time is promised nothing, so that they take turns; all that images share is nobody's.
/// </summary>
internal sealed class Ledger
{
    private readonly ConcurrentDictionary<(string Repository, string Name), Turn> _turns = new();

    /// <summary>The images, indexes and referrers that were acknowledged.</summary>
    public ConcurrentDictionary<(string Repository, string Digest), bool> Items { get; } = new();

    /// <summary>The tags that were acknowledged, and what they name.</summary>
    public ConcurrentDictionary<(string Repository, string Tag), string> Tags { get; } = new();

    /// <summary>What the <c>index.json</c> of a repository names.</summary>
    public ConcurrentDictionary<string, string> Dropped { get; } = new(StringComparer.Ordinal);

    /// <summary>Brings an image, as others may at the same time; with a tag, which nobody else moves meanwhile.</summary>
    public Task AddAsync(string repository, string digest, string? tag, Func<Task> add)
    {
        return tag is null
            ? SharedAsync()
            : TurnOf(repository, tag)
                .AloneAsync(async () =>
                {
                    // From here on it may be the old or the new one.
                    Tags.TryRemove((repository, tag), out _);
                    await SharedAsync();
                });

        Task SharedAsync() =>
            TurnOf(repository, digest)
                .SharedAsync(async () =>
                {
                    await add();
                    Items[(repository, digest)] = true;
                    if (tag is not null)
                    {
                        Tags[(repository, tag)] = digest;
                    }
                });
    }

    /// <summary>Does something while nobody removes an image, if it is still there.</summary>
    public Task KeepAsync(string repository, string digest, Func<Task> act) =>
        TurnOf(repository, digest)
            .SharedAsync(() => Items.ContainsKey((repository, digest)) ? act() : Task.CompletedTask);

    /// <summary>Removes an image, with its tags, while nobody brings it.</summary>
    public Task RemoveItemAsync(string repository, string digest, Func<Task> remove) =>
        TurnOf(repository, digest)
            .AloneAsync(async () =>
            {
                // From here on nobody is promised anything, whether the removal is answered or not.
                Items.TryRemove((repository, digest), out _);
                foreach (var tag in Tags.Where(t => t.Key.Repository == repository && t.Value == digest))
                {
                    Tags.TryRemove(tag);
                }

                await remove();
            });

    /// <summary>Removes a tag, while nobody sets it.</summary>
    public Task RemoveTagAsync(string repository, string tag, Func<Task> remove) =>
        TurnOf(repository, tag)
            .AloneAsync(async () =>
            {
                Tags.TryRemove((repository, tag), out _);
                await remove();
            });

    private Turn TurnOf(string repository, string name) => _turns.GetOrAdd((repository, name), _ => new Turn());

    // Several at once, or one alone.
    [SuppressMessage(
        "Design",
        "CA1001:Types that own disposable fields should be disposable",
        Justification = "A semaphore that nobody asks for its wait handle holds nothing."
    )]
    private sealed class Turn
    {
        private const int Most = 16;

        private readonly SemaphoreSlim _places = new(Most);
        private readonly SemaphoreSlim _alone = new(1);

        private static CancellationToken Stop => TestContext.Current.CancellationToken;

        public async Task SharedAsync(Func<Task> act)
        {
            await _places.WaitAsync(Stop);
            try
            {
                await act();
            }
            finally
            {
                _places.Release();
            }
        }

        public async Task AloneAsync(Func<Task> act)
        {
            await _alone.WaitAsync(Stop);
            try
            {
                for (var i = 0; i < Most; i++)
                {
                    await _places.WaitAsync(Stop);
                }

                try
                {
                    await act();
                }
                finally
                {
                    _places.Release(Most);
                }
            }
            finally
            {
                _alone.Release();
            }
        }
    }
}
