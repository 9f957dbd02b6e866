namespace ImagesFunctions.Settings;

/// <summary>A setting has an invalid value, so the start fails. The message names the setting, its value, and what is valid.</summary>
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
