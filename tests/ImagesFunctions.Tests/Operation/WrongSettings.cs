using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Operation;

/// <summary>A setting that is wrong ends the start with a sentence that names it, before anything is served.</summary>
public sealed class WrongSettings
{
    [Theory]
    [InlineData("RequestsPerMinute", "many")]
    [InlineData("FailedLoginsPerMinute", "-1")]
    [InlineData("AnonymousRequestsPerMinute", "yes")]
    [InlineData("RedirectPulls", "perhaps")]
    [InlineData("TelemetryToConsole", "1")]
    [InlineData("SweepAfterPush", "24")]
    [InlineData("SweepAfterDrop", "99999d")]
    [InlineData("SweepWalk", "a day")]
    [InlineData("SweepWalkRequests", "-1")]
    [InlineData("OutageWait", "soon")]
    [InlineData("MetroCode", "FRA 0")]
    [InlineData("MetroCountry", "Germany")]
    [InlineData("OtherMetros", "fra1 https://images.example DE")]
    [InlineData("OtherMetros", "fra1 images.example DE Frankfurt")]
    [InlineData("OtherMetros", "fra1 https://images.example/?x DE Frankfurt")]
    [InlineData("OtherMetros", "fra1 https://images.example DE Frankfurt; FRA2 https://images.example DE Frankfurt")]
    public void Are_named_where_the_library_is_registered(string name, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(name, value)]).Build();

        var error = Assert.Throws<InvalidSettingException>(() => new ServiceCollection().AddImages(configuration));

        Assert.StartsWith($"{name} is '{value}': it has to be ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task End_the_local_program_with_one_line()
    {
        await using var program = LocalProgram.Serve(
            await Storages.NewWithTablesAsync(),
            ("RequestsPerMinute", "many")
        );

        var code = await program.EndsWithinAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(1, code);
        Assert.Contains(
            "RequestsPerMinute is 'many': it has to be a whole number",
            program.Said,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("   at ", program.Said, StringComparison.Ordinal);
    }
}
