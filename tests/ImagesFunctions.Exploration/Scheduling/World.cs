namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>
/// Runs processes on one thread, one continuation at a time. What a process does between two waits is done at once, in the order in
/// which it became possible; which request, answer, timer or disturbance comes next is asked of a chooser. So the same choices make
/// the same run.
/// </summary>
/// <param name="chooser">Makes the choices.</param>
public sealed class World(IChooser chooser)
{
    private const int MaxSteps = 20_000;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly Queue<(Actor Actor, Task Task)> _ready = new();
    private readonly List<Step> _steps = [];
    private readonly List<Actor> _actors = [];
    private readonly List<(Actor Actor, Task<Task> Task)> _started = [];
    private readonly List<string> _said = [];

    /// <summary>What all clocks of the world say; a test of hours costs nothing.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>How many choices were made.</summary>
    public int Choices { get; private set; }

    /// <summary>What has happened, in order; empty unless <see cref="IsRecorded"/>.</summary>
    public IReadOnlyList<string> Said => _said;

    /// <summary>How many requests had another fate than the ordinary one, and how many disturbances there were.</summary>
    public int Faults { get; private set; }

    /// <summary>How many processes were killed.</summary>
    public int Kills { get; private set; }

    /// <summary>Whether it is written down what happens.</summary>
    public bool IsRecorded { get; init; }

    /// <summary>What was found to be wrong while it ran; null as long as nothing was.</summary>
    public string? Failure { get; private set; }

    /// <summary>Adds a process.</summary>
    /// <param name="name">Its name in a printed schedule.</param>
    public Actor AddActor(string name)
    {
        var actor = new Actor(this, name, _actors.Count);
        _actors.Add(actor);
        return actor;
    }

    /// <summary>Makes something possible. Of a dead process only what it has sent is.</summary>
    /// <returns>The step, to take it back; see <see cref="Remove"/>.</returns>
    public Step Add(Actor actor, StepKind kind, string what, Action run)
    {
        var step = new Step(actor, kind, what, run);
        if (!actor.IsDead || kind is StepKind.Request or StepKind.Disturbance)
        {
            // Disturbances stay behind all else, so that the first step is none.
            var end = kind == StepKind.Disturbance ? _steps.Count : _steps.Count(s => s.Kind != StepKind.Disturbance);
            _steps.Insert(end, step);
        }

        return step;
    }

    /// <summary>Makes it possible that a process is killed.</summary>
    public void AddKill(Actor actor) =>
        Add(
            actor,
            StepKind.Disturbance,
            "is killed",
            () =>
            {
                Kills++;
                actor.Kill();
            }
        );

    /// <summary>Makes it possible that time passes, and then a process begins something.</summary>
    public void AddLater(Actor actor, TimeSpan time, Func<Task> run) =>
        Add(
            actor,
            StepKind.Disturbance,
            $"{time} later it begins",
            () =>
            {
                Pass(time);
                actor.Start(run);
            }
        );

    /// <summary>Makes a step impossible that has not happened.</summary>
    public void Remove(Step step) => _steps.Remove(step);

    /// <summary>What becomes of a request: see <see cref="IChooser.Fate"/>.</summary>
    public int Fate(int count)
    {
        Choices++;
        var fate = chooser.Fate(count);
        Faults += fate > 0 ? 1 : 0;
        return fate;
    }

    /// <summary>Lets time pass.</summary>
    public void Pass(TimeSpan time) => Now += time;

    /// <summary>Writes down what happens.</summary>
    public void Say(Actor actor, string what)
    {
        if (IsRecorded)
        {
            _said.Add($"{actor.Name}: {what}");
        }
    }

    /// <summary>Says that something is wrong; the first time counts.</summary>
    public void Fail(string message) => Failure ??= message;

    /// <summary>Runs until nothing more can happen but disturbances, or something is wrong.</summary>
    public void Run()
    {
        while (Failure is null)
        {
            Settle();
            _steps.RemoveAll(s => s.Actor.IsDead && s.Kind is (StepKind.Answer or StepKind.Timer));
            if (_steps.TrueForAll(s => s.Kind == StepKind.Disturbance))
            {
                break;
            }

            if (++Choices > MaxSteps)
            {
                Fail($"it does not end within {MaxSteps} choices");
                break;
            }

            var step = _steps[chooser.Next(_steps)];
            _steps.Remove(step);
            Faults += step.Kind == StepKind.Disturbance ? 1 : 0;
            Say(step.Actor, step.What);
            step.Run();
        }

        if (Failure is null)
        {
            DemandEnds();
        }
    }

    internal void Watch(Actor actor, Task<Task> task) => _started.Add((actor, task));

    internal void Queue(Actor actor, Task task)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            throw new InvalidOperationException("a continuation has left the thread on which everything is explored");
        }

        _ready.Enqueue((actor, task));
    }

    // Everything that processes do without waiting.
    private void Settle()
    {
        while (_ready.TryDequeue(out var next))
        {
            if (!next.Actor.IsDead)
            {
                next.Actor.Run(next.Task);
            }
        }
    }

    // Each function has come to its end, unless its process was killed.
    private void DemandEnds()
    {
        foreach (var (actor, task) in _started.Where(s => !s.Actor.IsDead))
        {
            if (!task.IsCompletedSuccessfully || !task.Result.IsCompleted)
            {
                Fail($"{actor.Name} waits for ever");
            }
            else if (task.Result.Exception is { InnerException: { } error })
            {
                Fail($"{actor.Name}: {error}");
            }
        }
    }
}
