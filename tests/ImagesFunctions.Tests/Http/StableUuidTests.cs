using ImagesFunctions.Http;

namespace ImagesFunctions.Tests.Http;

public sealed class StableUuidTests
{
    /// <summary>As <c>printf 'pin\nalice/web' | sha256sum</c> begins, with the bits of version 8 and of the variant: clients keep it.</summary>
    [Fact]
    public void A_name_has_the_same_one_in_every_version() =>
        Assert.Equal(Guid.Parse("ebf13dd0-038a-8043-a3b7-a98402d302a3"), StableUuid.Of("pin", "alice/web"));

    [Fact]
    public void Names_of_two_kinds_never_share_one()
    {
        Guid[] uuids =
        [
            StableUuid.Of("a", "b"),
            StableUuid.Of("b", "a"),
            StableUuid.Of("a", ""),
            StableUuid.Of("", "a"),
        ];
        Assert.Equal(uuids.Length, uuids.Distinct().Count());
        Assert.All(uuids, uuid => Assert.Equal((8, 8), (uuid.Version, uuid.Variant & 0xC)));
    }
}
