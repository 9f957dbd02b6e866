namespace ImagesFunctions.Tests.Stress;

/// <summary>How much, and how long what nobody needs is kept.</summary>
internal sealed record Plan(int Pushers, int Droppers, TimeSpan Time)
{
    /// <summary>How often each of them pushes or drops, however long that takes.</summary>
    public int AtLeast { get; init; } = 5;

    public int Servers { get; init; } = 2;

    /// <summary>The setting; null is the default one.</summary>
    public string? Grace { get; init; }

    /// <summary>For how long what a pusher was told has to be true.</summary>
    public TimeSpan Promise { get; init; }

    /// <summary>Whether the command <c>gc</c> runs, too: each start of it takes a second.</summary>
    public bool Gc { get; init; } = true;

    public bool SparesNothing => Grace == "0s";

    /// <summary>The builds of the program that serve.</summary>
    public IReadOnlyList<string> Builds { get; init; } = [LocalProgram.ThisBuild];
}
