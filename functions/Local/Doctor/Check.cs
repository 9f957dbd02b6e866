namespace ImagesFunctions.Local;

/// <summary>What was looked at, and how it is.</summary>
/// <param name="Name">What it is.</param>
/// <param name="State"><see cref="Ok"/>, <see cref="Warning"/>, <see cref="Failed"/> or <see cref="Unknown"/>.</param>
/// <param name="Detail">What was found, or why nothing could be.</param>
/// <param name="Mend">The command, or what else is to be done, where it is not as it should be.</param>
internal sealed record Check(string Name, string State, string Detail, string Mend = "")
{
    /// <summary>As it should be.</summary>
    public const string Ok = "ok";

    /// <summary>It works, and is not as it should be.</summary>
    public const string Warning = "warning";

    /// <summary>Something will not work.</summary>
    public const string Failed = "failed";

    /// <summary>It could not be asked.</summary>
    public const string Unknown = "unknown";
}
