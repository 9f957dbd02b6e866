using System.Security.Cryptography;
using System.Text.Json;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Accounts;

/// <summary>
/// The trust rules in the table <c>accounts</c>: in a partition that is no account's, row key the hash of the issuer, the account and
/// the rule's id. So one range has all rules for a token.
/// </summary>
public sealed class TrustRules
{
    /// <summary>
    /// The maximum number of rules to which the holders of an account may bring it. The rules about an issuer, which accounts share, are
    /// read together for each of its tokens.
    /// </summary>
    internal const int MaxOfHolders = 100;

    private const string Partition = "!trust";

    // A row that says more than this version knows is no rule for it: what it does not know may be a condition.
    private const long Schema = 1;

    private readonly StorageAccount _account;
    private readonly CoalescedReads<IReadOnlyList<TrustRule>> _ofIssuer;

    /// <summary>Those of a storage account.</summary>
    public TrustRules(StorageAccount account)
    {
        _account = account;
        _ofIssuer = new(
            async (hash, stop) =>
                [
                    .. (await account.TokenRows.RangeAsync(Partition, KeyRange.Prefix($"{hash}!"), stop))
                        .Select(From)
                        .OfType<TrustRule>(),
                ],
            of: "trust"
        );
    }

    /// <summary>Makes a rule. It counts from the next request on.</summary>
    /// <param name="name">The account.</param>
    /// <param name="condition">Which tokens it is about.</param>
    /// <param name="grant">What they may do.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="FormatException">The name is no account's, or the condition is not one.</exception>
    public async Task<TrustRule> AddAsync(
        string name,
        TrustCondition condition,
        Grant grant,
        CancellationToken cancellationToken
    )
    {
        if (!Credentials.IsAccount(name))
        {
            throw new FormatException($"'{name}' is not an account name: {Tokens.NameRule}");
        }

        condition.Demand(_account.IsOnThisMachine);
        var id = RandomNumberGenerator.GetHexString(8, lowercase: true);
        var rule = new TrustRule(name, id, condition, grant, _account.Clock.UtcNow);
        var row = new TableRow(KeyOf(rule))
        {
            ["schema"] = Schema,
            ["account"] = name,
            ["id"] = id,
            ["issuer"] = condition.Issuer,
            ["audience"] = condition.Audience,
            ["claims"] = JsonSerializer.Serialize(condition.Claims),
            ["allow"] = grant.Allow,
            ["repositories"] = grant.RepositoriesText,
            ["created"] = rule.Created,
        };
        if (condition.Subject is not null)
        {
            row["subject"] = condition.Subject;
        }

        (await _account.TokenRows.PutAsync(Partition, new Change(row.Key, row), cancellationToken)).ThrowIfNotDone();
        await new TokenBackup(_account).KeepAsync(Partition, row, cancellationToken);
        return rule;
    }

    /// <summary>
    /// Makes a rule for a holder of the account, who need not be the operator of the store: about an issuer that a rule of the account
    /// names already, so that no address is asked for keys that no operator has named.
    /// </summary>
    /// <param name="name">The account.</param>
    /// <param name="condition">Which tokens it is about.</param>
    /// <param name="grant">What they may do.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="FormatException">As for an operator; or the issuer is a new one, or there are too many rules.</exception>
    internal async Task<TrustRule> AddOfHolderAsync(
        string name,
        TrustCondition condition,
        Grant grant,
        CancellationToken cancellationToken
    )
    {
        var rules = await ListAsync(name, cancellationToken);
        if (rules.All(r => r.Condition.Issuer != condition.Issuer))
        {
            throw new FormatException($"'{condition.Issuer}' is an issuer that no rule of the account names yet");
        }

        if (rules.Count < MaxOfHolders)
        {
            var rule = await AddAsync(name, condition, grant, cancellationToken);
            // Of several at once each sees the others: none, or all but some, are too many.
            if ((await ListAsync(name, cancellationToken)).Count <= MaxOfHolders)
            {
                return rule;
            }

            await RemoveAsync(name, rule.Id, cancellationToken);
        }

        throw new FormatException($"the account has {MaxOfHolders} rules, which is the maximum");
    }

    /// <summary>The rules of an account, those of one issuer together.</summary>
    public async Task<IReadOnlyList<TrustRule>> ListAsync(string name, CancellationToken cancellationToken)
    {
        var rules = new List<TrustRule>();
        await foreach (var row in _account.TokenRows.PartitionAsync(Partition).WithCancellation(cancellationToken))
        {
            if (row.GetString("account") == name && From(row) is { } rule)
            {
                rules.Add(rule);
            }
        }

        return rules;
    }

    /// <summary>Removes a rule, which ends at the next request. False when the account has none of this id.</summary>
    public async Task<bool> RemoveAsync(string name, string id, CancellationToken cancellationToken)
    {
        if (!Repository.IsNamespace(name))
        {
            return false;
        }

        // Also one that this version cannot read.
        await foreach (var row in _account.TokenRows.PartitionAsync(Partition).WithCancellation(cancellationToken))
        {
            if (row.GetString("account") == name && row.GetString("id") == id)
            {
                // First: no rebuild brings it back.
                await new TokenBackup(_account).RevokeAsync(Partition, row.Key, cancellationToken);
                await _account.TokenRows.PutAsync(Partition, new Change(row.Key, null), cancellationToken);
                return true;
            }
        }

        return false;
    }

    /// <summary>The rules of all accounts about an issuer, read after the call; calls at the same time share a read.</summary>
    internal Task<IReadOnlyList<TrustRule>> OfIssuerAsync(string issuer, CancellationToken cancellationToken) =>
        _ofIssuer.ReadAsync(TrustCondition.HashOf(issuer), cancellationToken);

    private static string KeyOf(TrustRule rule) =>
        $"{TrustCondition.HashOf(rule.Condition.Issuer)}!{rule.Account}!{rule.Id}";

    private static TrustRule? From(TableRow row)
    {
        if (
            row.GetInt64("schema") != Schema
            || Grant.Read(row.GetString("allow"), row.GetString("repositories")) is not { } grant
        )
        {
            return null;
        }

        var claims = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Text("claims")) ?? [];
        var condition = new TrustCondition(row.Text("issuer"), row.Text("audience"), row.GetString("subject"), claims);
        var created = row.GetDateTimeOffset("created") ?? default;
        return new TrustRule(row.Text("account"), row.Text("id"), condition, grant, created);
    }
}
