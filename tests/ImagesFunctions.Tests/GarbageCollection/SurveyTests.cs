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

    /// <summary>storage.md: a sweep remembers less than 200 bytes a blob and image.</summary>
    [Fact]
    public void A_blob_and_an_image_take_less_than_200_bytes()
    {
        const int count = 100_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var survey = new Survey();
        survey.Images.EnsureCapacity(count);
        survey.Blobs.EnsureCapacity(count);
        survey.Needed.EnsureCapacity(count);
        for (var i = 0; i < count; i++)
        {
            var print = (UInt128)(ulong)i;
            survey.Images[print] = new SeenImage(ImageState.Complete, "g");
            survey.Blobs[print] = new SeenBlob(print, BlobState.Good, IsYoung: true);
            survey.Needed.Add(print);
        }

        // Generations are texts of 16 letters beside: 56 bytes each.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / count, 1, 199 - 56);
        GC.KeepAlive(survey);
    }
}
