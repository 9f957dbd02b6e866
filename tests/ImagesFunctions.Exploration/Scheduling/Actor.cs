namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>
/// A process of the explored system. Everything that it runs is a task of its own scheduler, so that the <see cref="World"/> decides
/// when each continuation runs, and a killed process runs nothing more.
/// </summary>
public sealed class Actor : TaskScheduler
{
    private readonly World _world;

    internal Actor(World world, string name, int index) => (_world, Name, Index) = (world, name, index);

    /// <summary>Its name in a printed schedule.</summary>
    public string Name { get; }

    /// <summary>Its place among the processes of the world, from 0 on.</summary>
    public int Index { get; }

    /// <summary>Whether it was killed.</summary>
    public bool IsDead { get; private set; }

    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Runs a function as a task of this process.</summary>
    /// <param name="run">The function.</param>
    public void Start(Func<Task> run) =>
        _world.Watch(this, Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.None, this));

    /// <summary>Ends it: what it has sent stays on its way, and nothing of it runs any more.</summary>
    public void Kill() => IsDead = true;

    internal void Run(Task task) => TryExecuteTask(task);

    /// <inheritdoc/>
    protected override void QueueTask(Task task) => _world.Queue(this, task);

    // Each continuation is a step of its own.
    /// <inheritdoc/>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    /// <inheritdoc/>
    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
