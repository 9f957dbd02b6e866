namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>The kinds of what can happen next.</summary>
public enum StepKind
{
    /// <summary>A request reaches storage. It does so although its sender may be dead.</summary>
    Request,

    /// <summary>An answer reaches its process.</summary>
    Answer,

    /// <summary>A timer of a process expires.</summary>
    Timer,

    /// <summary>What no process does: a kill, or a jump of the clock. It need not happen at all.</summary>
    Disturbance,
}

/// <summary>Something that can happen next.</summary>
/// <param name="Actor">Whose it is.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="What">What a printed schedule says.</param>
/// <param name="Run">What happens. It runs outside all tasks.</param>
public sealed record Step(Actor Actor, StepKind Kind, string What, Action Run);
