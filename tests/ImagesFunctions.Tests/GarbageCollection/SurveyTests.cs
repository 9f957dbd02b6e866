using System.Runtime.CompilerServices;

namespace ImagesFunctions.Tests.GarbageCollection;

public sealed class SurveyTests
{
    [Theory]
    [InlineData(ImageState.Complete, true)]
    [InlineData(ImageState.Hidden, true)]
    [InlineData(ImageState.Waiting, false)]
    [InlineData(ImageState.Deleted, false)]
    public void An_image_is_there_while_it_is_complete_or_hidden(ImageState state, bool isLive)
    {
        var survey = new Survey();
        var image = Fingerprint.Of("web", SomeRows.D("image"));
        Assert.False(survey.IsLive(image));
        survey.Images[image] = new SeenImage(state, "g");
        Assert.Equal(isLive, survey.IsLive(image));
        Assert.False(survey.IsLive(Fingerprint.Of("web2", SomeRows.D("image"))));
    }

    /// <summary>storage.md: less than 200 bytes a blob and image, of which there may be a million.</summary>
    [Fact]
    public void What_is_remembered_of_a_row_takes_less_than_200_bytes()
    {
        // Beside key and value: its hash, the next one's place, and that of the first one of its bucket; twice, right after it grew.
        const int beside = 12;
        // An image's generation: 16 letters.
        const int generation = 22 + (2 * 16);
        Assert.InRange(2 * (Unsafe.SizeOf<KeyValuePair<UInt128, SeenBlob>>() + beside), 1, 199);
        Assert.InRange(2 * (Unsafe.SizeOf<KeyValuePair<UInt128, SeenImage>>() + beside) + generation, 1, 199);
        Assert.InRange(2 * (Unsafe.SizeOf<KeyValuePair<UInt128, SeenRefusal>>() + beside), 1, 199);
    }
}
