using Azure.Core;
using Azure.Core.Pipeline;

namespace ImagesFunctions.Tests.Faults;

/// <summary>What a process whose machine has gone sees of its storage calls, and what nothing in the library may handle.</summary>
public sealed class KilledException : Exception;

/// <summary>Sees every storage call of one <see cref="Node"/>, retries too, in the order in which they are sent.</summary>
public sealed class StorageCalls : HttpPipelinePolicy
{
    private int _count;

    /// <summary>How many calls were begun.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Called with the number of the call before it is sent.</summary>
    public Func<int, HttpMessage, ValueTask> Before { get; set; } = (_, _) => ValueTask.CompletedTask;

    /// <summary>Called when it has taken effect and nobody has seen its answer.</summary>
    public Func<int, HttpMessage, ValueTask> After { get; set; } = (_, _) => ValueTask.CompletedTask;

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var number = Interlocked.Increment(ref _count);
        await Before(number, message);
        await ProcessNextAsync(message, pipeline);
        await After(number, message);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("The library makes no blocking calls.");

    /// <summary>From this call on nothing reaches storage: the call itself does, or does not.</summary>
    public void KillAt(int call, bool afterIt)
    {
        var dead = false;
        Before = (number, _) =>
            Volatile.Read(ref dead) || (number == call && !afterIt) ? Die() : ValueTask.CompletedTask;
        After = (number, _) => Volatile.Read(ref dead) || number == call ? Die() : ValueTask.CompletedTask;

        ValueTask Die()
        {
            Volatile.Write(ref dead, true);
            throw new KilledException();
        }
    }

    /// <summary>The answer of this one call gets lost: it took effect, and nobody knows.</summary>
    public void LoseAnswerOf(Func<int, bool> calls) =>
        After = (number, _) =>
            calls(number) ? throw new IOException("The connection was cut.") : ValueTask.CompletedTask;

    /// <summary>Holds the node before this call until something else has run to its end.</summary>
    public void RunBefore(int call, Func<Task> other) =>
        Before = async (number, _) =>
        {
            if (number == call)
            {
                await other();
            }
        };
}
