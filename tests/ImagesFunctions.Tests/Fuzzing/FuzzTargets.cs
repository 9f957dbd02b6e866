using ImagesFunctions.Fuzz;
using ImagesFunctions.Tests.Infra;

namespace ImagesFunctions.Tests.Fuzzing;

/// <summary>
/// The properties that <c>tests/fuzz/run</c> looks for exceptions from hold for what it begins with, and for what it has found once.
/// </summary>
public sealed class FuzzTargets
{
    public static TheoryData<string> Names => [.. Target.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_known_input_holds(string name)
    {
        var files = Inputs("corpus", name).Concat(Inputs("findings", name)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file => Target.Find(name)!.Check(File.ReadAllBytes(file)));
    }

    /// <summary>Without afl-fuzz: a hundred inputs near each known one.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Inputs_near_known_ones_hold(string name)
    {
        foreach (var file in Inputs("corpus", name))
        {
            var known = File.ReadAllBytes(file);
            for (var i = 0; i < 100; i++)
            {
                var near = Near(known, Random.Shared);
                var broken = Record.Exception(() => Target.Find(name)!.Check(near));
                Assert.True(broken is null, $"{broken}\n{Convert.ToBase64String(near)}");
            }
        }
    }

    [Fact]
    public void Folders_of_inputs_have_a_target_each()
    {
        var folders = ((string[])["corpus", "findings"])
            .Select(folder => Repo.Path($"tests/fuzz/{folder}"))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateDirectories(folder))
            .Select(folder => Path.GetFileName(folder)!);
        Assert.All(folders, name => Assert.NotNull(Target.Find(name)));
    }

    [Fact]
    public void A_property_that_does_not_hold_is_noticed() =>
        Assert.Throws<PropertyBrokenException>(() => Target.Find("planted")!.Check("fault!"u8.ToArray()));

    [Fact]
    public void Memory_that_is_not_bounded_by_the_input_is_noticed()
    {
        var target = new Target("greedy", _ => GC.KeepAlive(new byte[64 << 20]));
        Assert.Throws<PropertyBrokenException>(() => target.Check([1, 2, 3]));
    }

    private static IEnumerable<string> Inputs(string folder, string name)
    {
        var path = Repo.Path($"tests/fuzz/{folder}/{name}");
        return Directory.Exists(path) ? Directory.EnumerateFiles(path) : [];
    }

    // One to four bytes changed, and now and then a part left out or said twice.
    private static byte[] Near(byte[] known, Random random)
    {
        var near = known.ToList();
        for (var i = random.Next(4); i >= 0 && near.Count > 0; i--)
        {
            near[random.Next(near.Count)] = (byte)random.Next(256);
        }

        var (at, length) = (random.Next(near.Count), random.Next(1 + Math.Min(16, near.Count)));
        var part = near.Skip(at).Take(length).ToList();
        switch (random.Next(4))
        {
            case 0:
                near.RemoveRange(at, part.Count);
                break;
            case 1:
                near.InsertRange(at, part);
                break;
        }

        return [.. near];
    }
}
