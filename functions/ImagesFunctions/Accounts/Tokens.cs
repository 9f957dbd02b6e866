using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Accounts;

/// <summary>The tokens in the table <c>accounts</c>: partition key the account, row key the token's id.</summary>
public sealed class Tokens(StorageAccount account)
{
    /// <summary>What an account's name has to be, in words that end a sentence.</summary>
    public const string NameRule =
        "use lower-case letters and digits, with single '.', '_' or '-' between them, up to 128 characters, and not '.users.kraftcloud' at the end";

    private const int MaxLabel = 200;
    private const string Hash = "hash";
    private const string ScopedHash = "scoped_hash";

    private static readonly byte[] NoHash = new byte[64];

    // More than an answer may leave unclear, and less than matters to a token.
    private static readonly TimeSpan MaxDrift = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(36_500);

    private readonly TokenBackup _backup = new(account);

    /// <summary>When they were used.</summary>
    internal TokenUses Uses { get; } = new(account);

    /// <summary>Whether an account may have this name: see <see cref="NameRule"/>.</summary>
    public static bool IsName([NotNullWhen(true)] string? name) => Credentials.IsAccount(name);

    /// <summary>Whether this may be the label of a token: at most 200 characters, none of them a control character.</summary>
    public static bool IsLabel(string label) => label.Length is > 0 and <= MaxLabel && !label.Any(char.IsControl);

    // By `account/id`: neither of the two contains a slash.
    private readonly CoalescedReads<TableRow?> _rows = new(
        (key, stop) =>
        {
            var slash = key.IndexOf('/', StringComparison.Ordinal);
            return account.TokenRows.GetAsync(key[..slash], key[(slash + 1)..], stop);
        },
        of: "token"
    );

    /// <summary>As the other overload, for a token that may do everything, or only list and pull.</summary>
    public Task<(Token Token, string Text)> CreateAsync(
        string name,
        TimeSpan? lifetime,
        CancellationToken cancellationToken,
        bool readOnly = false
    ) => CreateAsync(name, lifetime, readOnly ? Grant.Pull : Grant.All, cancellationToken);

    /// <summary>Makes a token.</summary>
    /// <param name="name">The account: one part of a repository name, lower case; <c>official</c> may write official images.</param>
    /// <param name="lifetime">How long it is valid; null: until it is revoked.</param>
    /// <param name="grant">What it may do.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="label">What it is for, for people; null: nothing is said. Earlier versions do not show it.</param>
    /// <returns>The token, and its text, which is not stored.</returns>
    /// <exception cref="FormatException">The name is not valid for an account, the lifetime is not positive or over 100 years, or the label is none.</exception>
    public async Task<(Token Token, string Text)> CreateAsync(
        string name,
        TimeSpan? lifetime,
        Grant grant,
        CancellationToken cancellationToken,
        string? label = null
    )
    {
        Demand(name, lifetime, label);
        var credentials = Credentials.New(name);
        for (var isFirst = true; ; isFirst = false)
        {
            var created = account.Clock.UtcNow;
            var row = new TableRow(credentials.Id) { ["created"] = created };
            Write(row, grant, credentials.SecretHash);
            if (label is not null)
            {
                row["label"] = label;
            }

            if (lifetime is { } lives)
            {
                row["expires"] = created + lives;
            }

            (await account.TokenRows.PutAsync(name, new Change(row.Key, row), cancellationToken)).ThrowIfNotDone();
            // Where nothing was asked of storage before, only this answer tells that the machine's clock is wrong.
            if (!isFirst || (account.Clock.UtcNow - created).Duration() < MaxDrift)
            {
                // Before anybody has it.
                await _backup.KeepAsync(name, row, cancellationToken);
                return (From(name, row), credentials.Text);
            }
        }
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

    /// <summary>Whether the account has a token, an expired one included.</summary>
    public ValueTask<bool> AnyAsync(string name, CancellationToken cancellationToken) =>
        ListAsync(name, cancellationToken).AnyAsync(cancellationToken);

    /// <summary>The accounts that have a token, in order. A request each.</summary>
    public async IAsyncEnumerable<string> AccountsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (
            var next = "";
            await account.TokenRows.NextPartitionAsync(next, cancellationToken) is { } partition;
            next = partition
        )
        {
            if (Repository.IsNamespace(partition))
            {
                yield return partition;
            }
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

        // First: no rebuild brings it back.
        await _backup.RevokeAsync(name, row.Key, cancellationToken);
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
        var kept = (row?.GetString(Hash) ?? row?.GetString(ScopedHash)) is { Length: 64 } hash
            ? Encoding.ASCII.GetBytes(hash)
            : NoHash;
        var matches = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(credentials.SecretHash), kept);
        if (!matches || IsExpired(row!) || GrantOf(row!) is not { } grant)
        {
            return null;
        }

        Uses.Note(credentials.Account, credentials.Id);
        return new Access(credentials.Account, [grant]) { By = Author.OfToken(credentials.Id) };
    }

    // An earlier version knows no rights but to read or all, and looks for the hash where a token with others has none: there it
    // is no token.
    private static void Write(TableRow row, Grant grant, string hash)
    {
        if (grant.IsAll || grant.IsPull)
        {
            row[Hash] = hash;
            if (grant.IsPull)
            {
                row["read_only"] = true;
            }

            return;
        }

        row[ScopedHash] = hash;
        row["allow"] = grant.Allow;
        row["repositories"] = grant.RepositoriesText;
    }

    private static Grant? GrantOf(TableRow row) =>
        row.GetString(ScopedHash) is not null ? Grant.Read(row.GetString("allow"), row.GetString("repositories"))
        : row.GetBoolean("read_only") == true ? Grant.Pull
        : Grant.All;

    private static void Demand(string name, TimeSpan? lifetime, string? label)
    {
        if (!Credentials.IsAccount(name))
        {
            throw new FormatException($"'{name}' is not an account name: {NameRule}");
        }

        if (lifetime <= TimeSpan.Zero || lifetime > MaxLifetime)
        {
            throw new FormatException(
                $"a token's lifetime has to be positive, and at most {MaxLifetime.TotalDays:0} days"
            );
        }

        if (label is not null && !IsLabel(label))
        {
            throw new FormatException(
                $"a label of a token has 1 to {MaxLabel} characters, none of them a control character"
            );
        }
    }

    private bool IsExpired(TableRow row) =>
        row.GetDateTimeOffset("expires") is { } expires && expires <= account.Clock.UtcNow;

    private Token From(string name, TableRow row) =>
        new(name, row.Key, row.GetDateTimeOffset("created") ?? default, row.GetDateTimeOffset("expires"), GrantOf(row))
        {
            IsExpired = IsExpired(row),
            Label = row.GetString("label"),
            UsedOn = TokenUses.Of(row),
        };
}
