namespace ImagesFunctions.Local;

/// <summary>Azure Resource Manager has refused a request, or answered something that is none of its answers.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">One line.</param>
internal sealed class ManagementException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;

    /// <summary>The command that mends it, or null.</summary>
    public string? Mend { get; init; }
}
