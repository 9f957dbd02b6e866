using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ConfigDetailsTests
{
    [Fact]
    public void Platform_and_history_are_read()
    {
        var details = Read(
            """{"os":"linux","architecture":"arm64","history":[{"created_by":"ADD a"},{"created_by":"ENV b","empty_layer":true},{}]}"""
        );

        Assert.Equal(new Platform("linux", "arm64"), details.Platform);
        Assert.Equal(
            [new HistoryStep("ADD a", false), new HistoryStep("ENV b", true), new HistoryStep("", false)],
            details.History
        );
        Assert.Equal(["ADD a", ""], details.OfLayers);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"history\":{},\"os\":1}")]
    [InlineData("{\"history\":[1,null,\"x\"]}")]
    [InlineData("{\"os\":\"\\ud800\"}")]
    public void What_is_malformed_is_absent(string config)
    {
        var details = Read(config);

        Assert.Null(details.Platform);
        Assert.Empty(details.History);
    }

    private static ConfigDetails Read(string config) => ConfigDetails.Read(Encoding.UTF8.GetBytes(config));
}
