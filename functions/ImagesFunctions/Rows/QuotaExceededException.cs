using System.Globalization;

namespace ImagesFunctions.Rows;

/// <summary>What is to be stored does not fit into the quota of its account. Nothing was changed.</summary>
/// <param name="account">The account.</param>
/// <param name="quota">How many bytes it may store.</param>
/// <param name="used">How many it stores.</param>
/// <param name="more">How many were to come.</param>
internal sealed class QuotaExceededException(string account, long quota, long used, long more)
    : Exception(
        string.Create(
            CultureInfo.InvariantCulture,
            $"The account {account} may store {quota} bytes and stores {used}: {more} more do not fit."
        )
    );
