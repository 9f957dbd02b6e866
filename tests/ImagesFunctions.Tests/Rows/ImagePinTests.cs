using CsCheck;

namespace ImagesFunctions.Tests.Rows;

public sealed class ImagePinTests
{
    [Fact]
    public void A_pin_holds_until_its_time_is_over_or_for_ever() =>
        Gen.Select(AnyRow.Pin, Gen.Long[-10_000, 10_000])
            .Sample(
                (pin, milliseconds) =>
                {
                    var end = pin.Since + (pin.Autokill ?? TimeSpan.Zero);
                    var isBefore = milliseconds < 0;
                    Assert.Equal(
                        pin.Autokill is null || isBefore,
                        pin.HoldsAt(end + TimeSpan.FromMilliseconds(milliseconds))
                    );
                },
                iter: 1_000,
                threads: 1
            );

    [Fact]
    public void A_row_without_a_pin_has_none()
    {
        var row = SomeRows.Image("image").ToRow();
        Assert.Null(ImagePin.From(row));
        Assert.False(ImagePin.IsIn(row));
    }
}
