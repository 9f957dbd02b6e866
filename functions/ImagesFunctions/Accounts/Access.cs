using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Accounts;

/// <summary>The caller may not do what it asks for: the answer is 403.</summary>
/// <param name="message">For the caller.</param>
internal sealed class AccessDeniedException(string message) : Exception(message);

/// <summary>
/// What a caller may see and do, as its token says: the one place that decides it. An account reads its own namespace and the
/// official one, and writes its own. What it may not read does not exist for it.
/// </summary>
/// <param name="Account">The account, whose name is the name of its namespace.</param>
/// <param name="IsReadOnly">Whether the token may only read.</param>
internal sealed record Access(string Account, bool IsReadOnly)
{
    private const string ReadOnly = "This token may only read.";

    /// <summary>The namespaces that the account reads, its own first.</summary>
    public IReadOnlyList<string> Namespaces => NamespacesOf(Account);

    /// <summary>The namespaces that an account reads, its own first.</summary>
    public static IReadOnlyList<string> NamespacesOf(string account) =>
        account == Repository.Official ? [account] : [account, Repository.Official];

    /// <summary>Whether a namespace is the account's own.</summary>
    public bool Owns(string @namespace) => @namespace == Account;

    /// <summary>Whether a repository is in the account's own namespace.</summary>
    public bool Owns(Repository repository) => Owns(repository.Namespace);

    /// <summary>Whether the caller may read a repository, and so learn whether something in it exists.</summary>
    public bool MayRead(Repository repository) => Owns(repository) || repository.Namespace == Repository.Official;

    /// <summary>Whether the caller may change a repository.</summary>
    public bool MayWrite(Repository repository) => Owns(repository) && !IsReadOnly;

    /// <summary>Refuses a caller who may not change a repository.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="name">Its name as the caller wrote it.</param>
    /// <exception cref="AccessDeniedException">It is another account's, or the token may only read.</exception>
    public void DemandWrite(Repository repository, string name)
    {
        if (!MayWrite(repository))
        {
            throw new AccessDeniedException(
                Owns(repository) ? ReadOnly : $"The account {Account} may not write to {name}."
            );
        }
    }

    /// <summary>Refuses a method that may change something to a token that may only read.</summary>
    /// <exception cref="AccessDeniedException">The token may only read.</exception>
    public void DemandMethod(string method)
    {
        if (IsReadOnly && !IsSafe(method))
        {
            throw new AccessDeniedException(ReadOnly);
        }
    }

    /// <summary>Whether a method changes nothing (RFC 9110, section 9.2.1): GET and HEAD, the only ones of these that routes have.</summary>
    public static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
}
