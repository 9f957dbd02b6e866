namespace ImagesFunctions.Http;

/// <summary>The client has disconnected before the end of its answer.</summary>
internal sealed class ClientGoneException() : IOException("The client has gone before the end of its answer.");
