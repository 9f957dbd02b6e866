namespace ImagesFunctions.Settings;

/// <summary>A setting is not what it has to be: nothing starts. The message names the setting, what it is, and what it has to be.</summary>
public sealed class InvalidSettingException : Exception
{
    /// <summary>With no text.</summary>
    public InvalidSettingException() { }

    /// <summary>With one sentence for the operator.</summary>
    public InvalidSettingException(string message)
        : base(message) { }

    /// <summary>With one sentence for the operator, and what caused it.</summary>
    public InvalidSettingException(string message, Exception innerException)
        : base(message, innerException) { }
}
