using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Quotas;

/// <summary>What must hold after each commit where the account has a quota.</summary>
/// <param name="world">Is told what does not hold.</param>
/// <param name="storage">The table.</param>
internal sealed class QuotaCheck(World world, ModelStorage storage)
{
    private long _before;

    /// <summary>By how much the count was wrong at the beginning, until somebody counts anew.</summary>
    public int Wrong { get; set; }

    /// <summary>What is counted is what the rows add up to, and no more is added than there is room for.</summary>
    public void DemandCounted()
    {
        var real = InRows(storage);
        if (UsedRow.FromOrNull(storage.Find(Keys.Used)) is not { } used)
        {
            _before = real.Bytes;
            return;
        }

        if (used != real && used != real + new UsedRow(Wrong, Wrong))
        {
            world.Fail($"{used} is counted, and the rows add up to {real} [{Wrong}]");
        }

        var quota = QuotaRow.FromOrNull(storage.Find(Keys.Quota))!;
        if (real.Bytes > quota.Bytes + Math.Max(0, -Wrong) && real.Bytes > _before)
        {
            world.Fail($"{real.Bytes} bytes are stored, of {quota.Bytes}");
        }

        _before = real.Bytes;
    }

    /// <summary>What the rows add up to.</summary>
    public static UsedRow InRows(ModelStorage storage) =>
        storage
            .Rows.Where(row => Keys.All('b').Contains(row.Key))
            .Select(UsedRow.Of)
            .Aggregate(default(UsedRow), (a, b) => a + b);
}
