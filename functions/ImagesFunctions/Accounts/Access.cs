using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Accounts;

/// <summary>The caller may not do what it asks for: the answer is 403.</summary>
/// <param name="message">For the caller.</param>
internal sealed class AccessDeniedException(string message) : Exception(message);

/// <summary>
/// What a caller may see and do: the one place that decides it. It reads official repositories and those of its account on which it
/// has a right to, and changes only the latter. What it may not read does not exist for it, and that is decided by names, before any
/// storage is read.
/// </summary>
/// <param name="Account">The account, whose name is the name of its namespace.</param>
/// <param name="Grants">Its rights on the account's repositories; they add up.</param>
internal sealed record Access(string Account, IReadOnlyList<Grant> Grants)
{
    private const string ReadOnly = "This token may only read.";
    private const Rights Changes = Rights.Push | Rights.Delete | Rights.Admin;

    /// <summary>Access with all rights on the account's repositories, or only with that to pull.</summary>
    public Access(string account, bool isReadOnly)
        : this(account, [isReadOnly ? Grant.Pull : Grant.All]) { }

    /// <summary>That of a caller without credentials: it reads official repositories, and no account is it.</summary>
    public static Access Anonymous { get; } = new("", isReadOnly: true);

    /// <summary>Who it is, for the log and for rows; null where nobody is known.</summary>
    public Author? By { get; init; }

    /// <summary>The namespaces that the account reads, its own first.</summary>
    public IReadOnlyList<string> Namespaces => NamespacesOf(Account);

    /// <summary>The namespaces that an account reads, its own first.</summary>
    public static IReadOnlyList<string> NamespacesOf(string account) =>
        account == Repository.Official ? [account] : [account, Repository.Official];

    /// <summary>Whether a namespace is the account's own.</summary>
    public bool Owns(string @namespace) => @namespace == Account;

    /// <summary>Whether a repository is in the account's own namespace.</summary>
    public bool Owns(Repository repository) => Owns(repository.Namespace);

    /// <summary>Whether the caller may read all repositories of a namespace.</summary>
    public bool MayReadAll(string @namespace) =>
        Owns(@namespace) ? Grants.Any(g => g.Has(Rights.Pull)) : MayReadOfficial && @namespace == Repository.Official;

    /// <summary>Whether the caller may read a repository, and so learn whether something in it exists.</summary>
    public bool MayRead(Repository repository) => MayRead(repository.Namespace, repository.App);

    /// <summary>As the other overload, for a namespace and an app that a row names.</summary>
    public bool MayRead(string @namespace, string app) =>
        Owns(@namespace)
            ? Grants.Any(g => g.Has(Rights.Pull, app))
            : MayReadOfficial && @namespace == Repository.Official;

    /// <summary>Whether the caller has a right on a repository.</summary>
    public bool May(Rights right, Repository repository) =>
        right == Rights.Pull ? MayRead(repository) : Owns(repository) && Grants.Any(g => g.Has(right, repository.App));

    /// <summary>Whether the caller may pin images of a repository. To unpin what anybody pinned takes <see cref="Rights.Admin"/>.</summary>
    public bool MayPin(Repository repository) => May(Rights.Push, repository) || May(Rights.Admin, repository);

    /// <summary>
    /// Whether the caller is told what waits and what was refused in its account.
    /// </summary>
    /// <param name="app">The app; null for what belongs to none, which is told to who is told everything.</param>
    public bool MaySeeProblems(string? app) =>
        Grants.Any(g =>
            app is null
                ? g.Has(Rights.Pull) || g.Has(Rights.Admin)
                : g.Has(Rights.Pull, app) || g.Has(Rights.Admin, app)
        );

    /// <summary>Refuses a caller who has not a right on a repository. The answer depends on names alone, not on what exists.</summary>
    /// <param name="right">The right to push or to delete.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="name">Its name as the caller wrote it.</param>
    /// <exception cref="AccessDeniedException">It is another account's, or the caller has not the right.</exception>
    public void Demand(Rights right, Repository repository, string name)
    {
        if (!May(right, repository))
        {
            throw new AccessDeniedException(
                !Owns(repository) ? $"The account {Account} may not write to {name}."
                : IsReadOnly ? ReadOnly
                : $"This token may not {(right == Rights.Push ? "push to" : "delete from")} {name}."
            );
        }
    }

    /// <summary>Whether it has a right on all repositories of its account.</summary>
    public bool HasAll(Rights right) => Grants.Any(g => g.Has(right));

    /// <summary>Refuses a caller who has not a right on all repositories of its account.</summary>
    /// <param name="right">The right.</param>
    /// <param name="what">What it is needed for, as the end of a sentence that begins with what the token may not.</param>
    /// <exception cref="AccessDeniedException">The caller has it not, or only on some.</exception>
    public void DemandAll(Rights right, string what)
    {
        if (!HasAll(right))
        {
            throw new AccessDeniedException(
                $"This token may not {what}: that takes {right.ToString().ToLowerInvariant()} on all repositories."
            );
        }
    }

    /// <summary>Refuses a method that may change something to a caller who may only read.</summary>
    /// <exception cref="AccessDeniedException">The caller may only read.</exception>
    public void DemandMethod(string method)
    {
        if (IsReadOnly && !IsSafe(method))
        {
            throw new AccessDeniedException(ReadOnly);
        }
    }

    /// <summary>Whether a method changes nothing (RFC 9110, section 9.2.1): GET and HEAD, the only ones of these that routes have.</summary>
    public static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    private bool IsReadOnly => !Grants.Any(g => (g.Rights & Changes) != Rights.None);

    // Who may pull nothing of its own is no reader at all.
    private bool MayReadOfficial => Grants.Any(g => g.Includes(Rights.Pull));
}
