namespace ImagesFunctions.Local;

/// <summary>What a command says when it ends.</summary>
internal static class ExitCode
{
    /// <summary>It did what it was asked for.</summary>
    public const int Done = 0;

    /// <summary>It failed; one line says why.</summary>
    public const int Failed = 1;

    /// <summary>It was called wrongly, and has done nothing.</summary>
    public const int WrongUsage = 2;

    /// <summary>It looked, and not all is well: something waits, was refused, or is not as it should be.</summary>
    public const int NotWell = 3;

    /// <summary>It looked, and found nothing that is not well, but something could not be asked.</summary>
    public const int NotAsked = 4;
}
