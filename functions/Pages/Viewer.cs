using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Accounts;

namespace ImagesFunctions.Pages;

/// <summary>Who looks at a page: what the token of the session may do.</summary>
public sealed class Viewer
{
    private readonly byte[] _key;

    internal Viewer(Access access, string token) => (Access, _key) = (access, Encoding.UTF8.GetBytes(token));

    /// <summary>What it may see and do.</summary>
    internal Access Access { get; }

    /// <summary>The account.</summary>
    public string Account => Access.Account;

    /// <summary>Whether it may do everything in the account, and so make and revoke tokens.</summary>
    public bool HasAllRights => Access.Grants.Any(g => g.IsAll);

    /// <summary>Whether it may see what the account takes, and see and set its rules.</summary>
    public bool IsAdmin => Access.HasAll(Rights.Admin);

    /// <summary>
    /// What shows that a form came from a page of this session: only its pages know the token. Every instance makes the same.
    /// </summary>
    /// <param name="path">The path that the form is sent to; the proof is good for no other one.</param>
    public string ProofOf(string path) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"form {path}")));
}
