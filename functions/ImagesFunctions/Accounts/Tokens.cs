using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Accounts;

/// <summary>The tokens in the table <c>accounts</c>: partition key the account, row key the token's id.</summary>
public sealed class Tokens(StorageAccount account, TimeProvider time)
{
    private static readonly byte[] NoHash = new byte[64];
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(36_500);

    // By `account/id`: neither of the two contains a slash.
    private readonly CoalescedReads<TableRow?> _rows = new(
        (key, stop) =>
        {
            var slash = key.IndexOf('/', StringComparison.Ordinal);
            return account.TokenRows.GetAsync(key[..slash], key[(slash + 1)..], stop);
        },
        of: "token"
    );

    /// <summary>Makes a token.</summary>
    /// <param name="name">The account: one part of a repository name, lower case; <c>official</c> may write official images.</param>
    /// <param name="lifetime">How long it is valid; null: until it is revoked.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="readOnly">Whether it may only list and pull.</param>
    /// <returns>The token, and its text, which is not stored.</returns>
    /// <exception cref="FormatException">The name is not valid for an account, or the lifetime is not positive or over 100 years.</exception>
    public async Task<(Token Token, string Text)> CreateAsync(
        string name,
        TimeSpan? lifetime,
        CancellationToken cancellationToken,
        bool readOnly = false
    )
    {
        if (!Repository.IsNamespace(name))
        {
            throw new FormatException(
                $"'{name}' is not an account name: use lower-case letters and digits, with single '.', '_' or '-' between them, up to 128 characters"
            );
        }

        if (lifetime <= TimeSpan.Zero || lifetime > MaxLifetime)
        {
            throw new FormatException(
                $"a token's lifetime has to be positive, and at most {MaxLifetime.TotalDays:0} days"
            );
        }

        var credentials = Credentials.New(name);
        var created = time.GetUtcNow();
        var row = new TableRow(credentials.Id) { ["hash"] = credentials.SecretHash, ["created"] = created };
        if (lifetime is { } lives)
        {
            row["expires"] = created + lives;
        }

        if (readOnly)
        {
            row["read_only"] = true;
        }

        (await account.TokenRows.PutAsync(name, new Change(row.Key, row), cancellationToken)).ThrowIfNotDone();
        return (From(name, row), credentials.Text);
    }

    /// <summary>The account's tokens by id, expired ones included.</summary>
    public async IAsyncEnumerable<Token> ListAsync(
        string name,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var row in account.TokenRows.PartitionAsync(name).WithCancellation(cancellationToken))
        {
            yield return From(name, row);
        }
    }

    /// <summary>Revokes a token at once. False when the account has none of this id.</summary>
    public async Task<bool> RevokeAsync(string name, string id, CancellationToken cancellationToken)
    {
        if (!Repository.IsNamespace(name) || !id.All(char.IsAsciiHexDigit))
        {
            return false;
        }

        if (await account.TokenRows.GetAsync(name, id, cancellationToken) is not { } row)
        {
            return false;
        }

        await account.TokenRows.PutAsync(name, new Change(row.Key, null), cancellationToken);
        return true;
    }

    /// <summary>
    /// What the owner of these credentials may do; null when they are not valid. The token's row is read after the call, so that
    /// a revoked token is refused at once; calls at the same time share a read. The work is the same whether the account exists.
    /// </summary>
    internal async Task<Access?> AuthenticateAsync(Credentials credentials, CancellationToken cancellationToken)
    {
        var row = await _rows.ReadAsync($"{credentials.Account}/{credentials.Id}", cancellationToken);
        var kept = row?.GetString("hash") is { Length: 64 } hash ? Encoding.ASCII.GetBytes(hash) : NoHash;
        var matches = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(credentials.SecretHash), kept);
        return matches && (row!.GetDateTimeOffset("expires") is not { } expires || expires > time.GetUtcNow())
            ? new Access(credentials.Account, row.GetBoolean("read_only") == true)
            : null;
    }

    private static Token From(string account, TableRow row) =>
        new(
            account,
            row.Key,
            row.GetDateTimeOffset("created") ?? default,
            row.GetDateTimeOffset("expires"),
            row.GetBoolean("read_only") == true
        );
}
