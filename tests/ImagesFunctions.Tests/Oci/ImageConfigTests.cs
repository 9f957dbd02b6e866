using System.Text;
using CsCheck;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ImageConfigTests
{
    private const string Config = """
        {"created":"2026-01-02T03:04:05Z","architecture":"x86_64","os":"kraftcloud",
         "config":{"Entrypoint":["/app"],"Cmd":["-c","/etc/app.conf"],"Env":["PATH=/bin","A="],"Labels":{"a":"1","b":null}}}
        """;

    [Theory]
    [InlineData("", "the config is not valid JSON")]
    [InlineData("[]", "the config is not a JSON object")]
    [InlineData("{", "the config is not valid JSON")]
    [InlineData("""{"config":[]}""", "config is not an object")]
    [InlineData("""{"created":7}""", "created is not a string")]
    [InlineData("""{"config":{"Cmd":["sh",7]}}""", "Cmd is not an array of strings")]
    [InlineData("""{"config":{"Cmd":[null]}}""", "Cmd is not an array of strings")]
    [InlineData("""{"config":{"Entrypoint":{}}}""", "Entrypoint is not an array of strings")]
    [InlineData("""{"config":{"Cmd":["\ud800"]}}""", "Cmd is not valid Unicode")]
    [InlineData("""{"config":{"Env":{}}}""", "Env is not an array of strings")]
    [InlineData("""{"config":{"Env":[7]}}""", "Env[0] is not a string")]
    [InlineData("""{"config":{"Labels":[]}}""", "Labels is not an object")]
    [InlineData("""{"config":{"Labels":{"a":1}}}""", "the label 'a' is not a string")]
    [InlineData("""{"config":{"Labels":{"\ud800":"1"}}}""", "Labels is not valid Unicode")]
    public void What_cannot_be_read_is_left_out_and_said_to_be(string json, string reason)
    {
        var config = Read(json);
        Assert.Contains(config.LeftOut, r => r.StartsWith(reason, StringComparison.Ordinal));
        Assert.Empty(config.Args);
        Assert.Empty(config.Env);
        Assert.Empty(config.Labels);
        Assert.Null(config.Created);
    }

    [Fact]
    public void What_stands_beside_it_is_read()
    {
        var config = Read(
            """
            {"created":7,"config":{"Entrypoint":"/app","Cmd":[7],"Env":["A=1",7,"B=2"],"Labels":{"a":1,"b":"2","c":null}}}
            """
        );
        Assert.Equal(["/app"], config.Args);
        Assert.Equal(["A=1", "B=2"], config.Env);
        Assert.Equal(new Dictionary<string, string> { ["b"] = "2", ["c"] = "" }, config.Labels);
        Assert.Equal(4, config.LeftOut.Count);
    }

    [Theory]
    [InlineData("""{"config":{"Cmd":"sh"}}""", "sh")]
    [InlineData("""{"config":{"Cmd":"sh -c x","Entrypoint":"/bin/run"}}""", "/bin/run|sh -c x")]
    [InlineData("""{"config":{"Cmd":"","Entrypoint":["a"]}}""", "a")]
    [InlineData("""{"config":{"Cmd":["b"],"Cmd":["c"]}}""", "c")]
    public void One_string_is_a_list_of_one_and_the_last_of_two_members_counts(string json, string args)
    {
        var config = Read(json);
        Assert.Equal(args, string.Join('|', config.Args));
        Assert.Empty(config.LeftOut);
    }

    [Fact]
    public void Of_very_many_faults_only_some_are_said()
    {
        var labels = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"\"{i}\":{i}"));
        Assert.InRange(Read("{\"config\":{\"Labels\":{" + labels + "}}}").LeftOut.Count, 1, 10);
    }

    [Theory]
    [InlineData("""{"architecture":"amd64","os":"linux"}""", true)]
    [InlineData("""{"rootfs":{"type":"layers"}}""", true)]
    [InlineData("""{"rootfs":{"type":"layers"},"interface":{}}""", false)]
    [InlineData("""{"architecture":"amd64"}""", false)]
    [InlineData("{}", false)]
    [InlineData("no json", false)]
    public void An_image_config_shows_by_its_content(string json, bool isOne) =>
        Assert.Equal(isOne, Read(json).LooksLikeOne);

    [Fact]
    public void A_mutated_config_is_read_as_far_as_it_can_be_and_nothing_else_happens() =>
        Gen.Select(Gen.Int[0, 1_000], Gen.Char["{}[]\",:\\u0d8-7\u007f"])
            .Array[1, 6]
            .Sample(
                hits =>
                {
                    var config = Encoding.UTF8.GetBytes(Config);
                    foreach (var (at, value) in hits)
                    {
                        config[at % config.Length] = value == '\u007f' ? (byte)0xff : (byte)value;
                    }

                    Assert.All(ImageConfig.Read(config).LeftOut, Assert.NotEmpty);
                },
                iter: 10_000,
                threads: 1
            );

    private static ImageConfig Read(string json) => ImageConfig.Read(Encoding.UTF8.GetBytes(json));
}
