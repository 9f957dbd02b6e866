namespace ImagesFunctions.Exploration.Scheduling;

/// <summary>What processes do in a schedule, and what must hold after it.</summary>
public interface IScenario
{
    /// <summary>Adds the processes to a world.</summary>
    void Start(World world);

    /// <summary>Says what does not hold, by <see cref="World.Fail"/>, after everything has ended.</summary>
    void Check(World world);
}
