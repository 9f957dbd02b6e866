namespace ImagesFunctions.Local;

/// <summary>Something the person at the console can mend: the message is one line that says what to do.</summary>
public class LocalException : Exception
{
    /// <summary>With no text.</summary>
    public LocalException() { }

    /// <summary>With one line for the person at the console.</summary>
    public LocalException(string message)
        : base(message) { }

    /// <summary>With one line for the person at the console, and what caused it.</summary>
    public LocalException(string message, Exception innerException)
        : base(message, innerException) { }
}

/// <summary>The program was called wrongly, which shows only when it is tried: exit code 2.</summary>
public sealed class UsageException : LocalException
{
    /// <summary>With no text.</summary>
    public UsageException() { }

    /// <summary>With one line for the person at the console.</summary>
    public UsageException(string message)
        : base(message) { }

    /// <summary>With one line for the person at the console, and what caused it.</summary>
    public UsageException(string message, Exception innerException)
        : base(message, innerException) { }
}
