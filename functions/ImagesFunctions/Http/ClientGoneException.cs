namespace ImagesFunctions.Http;

/// <summary>Nobody is there any more to take the rest of an answer.</summary>
internal sealed class ClientGoneException() : IOException("The client has gone before the end of its answer.");
