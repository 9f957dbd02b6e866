namespace ImagesFunctions.Journal;

/// <summary>Storage is away or too busy to give a definite answer; the same request may succeed later.</summary>
public sealed class StorageUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
