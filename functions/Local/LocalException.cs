namespace ImagesFunctions.Local;

/// <summary>Something the person at the console can mend: the message is one line that says what to do.</summary>
public sealed class LocalException : Exception
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
