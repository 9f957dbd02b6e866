namespace ImagesFunctions.Tests.Rows;

public sealed class ReferrerRowTests
{
    [Theory]
    [InlineData(59_000, true)]
    [InlineData(61_000, false)]
    public void Annotations_that_are_too_long_for_the_row_stand_in_the_manifest_alone(int length, bool kept)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = new string('x', length) };
        var row = SomeRows.Referrer("subject", "referrer") with { Annotations = annotations };
        Assert.Equal(kept ? annotations : null, ReferrerRow.From(row.ToRow()).Annotations);
    }

    [Theory]
    [InlineData(1_024, true)]
    [InlineData(1_025, false)]
    public void An_artifact_type_that_is_too_long_stands_in_the_manifest_alone(int length, bool kept)
    {
        var type = new string('x', length);
        var row = SomeRows.Referrer("subject", "referrer") with { ArtifactType = type };
        Assert.Equal(kept ? type : null, ReferrerRow.From(row.ToRow()).ArtifactType);
    }
}
