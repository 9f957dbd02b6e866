using static ImagesFunctions.Tests.Contract.Envelopes;
using static ImagesFunctions.Tests.Contract.Sentence;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What the filters of a list mean, and which of their values are refused.</summary>
internal static class FilterSentences
{
    public static Dictionary<string, Sentence> All { get; } =
        new(StringComparer.Ordinal)
        {
            [
                "namespace=<user> is that account's images; a child of an index is one of them only with a tag of its own"
            ] = new(Lists(Own), new("namespace={alice}"), new("namespace={alice}", ""), new("namespace={alice}", "{}")),
            ["namespace=official is the official images and nobody's own"] = new(
                (_, reply) =>
                {
                    AssertSuccess(reply.Answer);
                    Assert.NotEmpty(reply.Images);
                    Assert.All(Names(reply), name => Assert.DoesNotContain('/', name));
                },
                new Ask("namespace=official")
            ),
            ["namespace=<user>/<app> and official/<app> are exactly that app"] = new(
                Lists(Web),
                new Ask("namespace={alice}/web")
            ),
            ["An official app is asked for as official/<app>"] = new(
                Lists("{hello}@{five}"),
                new Ask("namespace=official/{hello}")
            ),
            ["An empty namespace is 400 and never everything"] = new(
                Refuses("'namespace' is malformed"),
                new("namespace"),
                new("namespace="),
                new("namespace=\\"),
                new("namespace\\"),
                new("namespace=%5C"),
                new("namespace=%20"),
                new("namespace=", "[]")
            ),
            ["A malformed namespace is 400"] = new(
                Refuses("'namespace' is malformed"),
                new("namespace=Alice"),
                new("namespace={alice}/"),
                new("namespace=/web"),
                new("namespace={alice}//web"),
                new("namespace={alice}/Web"),
                new("namespace=official/a/b"),
                new("namespace=*"),
                new("namespace={alice}%00"),
                new("namespace={alice}%0A"),
                new("namespace=%FF"),
                new("namespace=%"),
                new("namespace={alice}%"),
                new("namespace={alice}+")
            ),
            ["A parameter that is given twice is 400, even with the same value"] = new(
                Refuses("is given more than once"),
                new("namespace={alice}&namespace={alice}"),
                new("namespace={alice}&tagged&namespace=official"),
                new("namespace\\={alice}\\&namespace={alice}"),
                new("namespace={alice}&%6eamespace={alice}"),
                new("tagged&tagged"),
                new("tagged=true&tagged=false"),
                new("tag={alice}/web:1&tag={alice}/web:1"),
                new("digest={alice}/web@{one}&digest={alice}/web@{one}"),
                new("limit=1&limit=1"),
                new("after=a@{none}&after=a@{none}")
            ),
            ["tagged, tagged=, tagged=true and tagged=1 leave out what has no tag"] = new(
                Lists("{alice}/web@{one}"),
                new("namespace={alice}/web&tagged"),
                new("tagged&namespace={alice}/web"),
                new("namespace={alice}/web&tagged="),
                new("namespace={alice}/web&tagged=true"),
                new("namespace={alice}/web&tagged=1"),
                new("namespace={alice}/web&tagged\\"),
                new("namespace={alice}/web&tagged%5C"),
                new("namespace={alice}/web&tagged\\=true\\")
            ),
            ["tagged=false and tagged=0 leave out nothing"] = new(
                Lists(Web),
                new("namespace={alice}/web&tagged=false"),
                new("namespace={alice}/web&tagged=0"),
                new("namespace={alice}/web&tagged\\=0\\")
            ),
            ["tagged with any other value is 400"] = new(
                Refuses("'tagged' is a flag"),
                new("tagged=yes"),
                new("tagged=True"),
                new("tagged=2"),
                new("tagged=null"),
                new("tagged=%20")
            ),
            [
                "A digest selects one image, of the account or official with and without the namespace, by sha256 and sha512"
            ] = new(
                Lists("{alice}/web@{one}"),
                new("", """{"digest":"{alice}/web@{one}"}"""),
                new("digest={alice}/web@{one}"),
                new("namespace={alice}", """{"digest":"{alice}/web@{one}"}""")
            ),
            ["An official digest is written <app>@… or official/<app>@…"] = new(
                Lists("{hello}@{five}"),
                new("", """{"digest":"{hello}@{five}"}"""),
                new("", """{"digest":"official/{hello}@{five}"}"""),
                new("digest={hello}@{five}"),
                new("digest=official/{hello}@{five}"),
                new("namespace=official", """{"digest":"{hello}@{five}"}""")
            ),
            ["@sha512: is taken as @sha256: is"] = new(
                Lists("{alice}/long@{long}"),
                new("", """{"digest":"{alice}/long@{long}"}"""),
                new("digest={alice}/long@{long}")
            ),
            ["A tag selects one image, and tagged in a body is its alias"] = new(
                Lists("{alice}/web@{one}"),
                new("", """{"tag":"{alice}/web:1"}"""),
                new("", """{"tag":"{alice}/web:latest"}"""),
                new("", """{"tagged":"{alice}/web:1"}"""),
                new("tag={alice}/web:1"),
                new("tagged&tag={alice}/web:1")
            ),
            ["An official tag is written <app>:<tag> or official/<app>:<tag>"] = new(
                Lists("{hello}@{five}"),
                new("", """{"tag":"{hello}:latest"}"""),
                new("", """{"tag":"official/{hello}:latest"}"""),
                new("tag={hello}:latest"),
                new("namespace=official/{hello}", """{"tag":"{hello}:latest"}""")
            ),
            ["tag and tagged in one body are 400"] = new(
                Refuses("'tag' is given twice"),
                new("", """{"tag":"{alice}/web:1","tagged":"{alice}/web:1"}"""),
                new("", """{"tagged":"{alice}/web:1","tag":"{alice}/web:latest"}"""),
                new("tag={alice}/web:1", """{"tag":"{alice}/web:1"}""")
            ),
            ["tagged in a body that is no string is 400"] = new(
                Refuses("'tagged' has to be a string"),
                new("", """{"tagged":true}"""),
                new("", """{"tagged":1}"""),
                new("", """{"tagged":null}""")
            ),
            ["A reference without a tag or a digest, or with the other of the two, is malformed"] = new(
                Refuses("is malformed"),
                new("", """{"tag":"{alice}/web"}"""),
                new("", """{"tag":""}"""),
                new("", """{"tag":"{alice}/web:"}"""),
                new("", """{"tag":"{alice}/web@{one}"}"""),
                new("", """{"tag":"{alice}/web:1@{one}"}"""),
                new("", """{"tag":"host:5000/{alice}/web:1"}"""),
                new("", """{"digest":"{alice}/web"}"""),
                new("", """{"digest":"{alice}/web:1"}"""),
                new("", """{"digest":"{one}"}"""),
                new("", """{"digest":"{alice}/web@sha256:abc"}"""),
                new("", """{"digest":"{alice}/web@sha256:ABCDEF"}"""),
                new("", """{"digest":"{alice}/web@md5:{one}"}"""),
                new("tag={alice}/web"),
                new("tag="),
                new("digest"),
                new("digest={alice}/web")
            ),
            ["All criteria given must hold: those that do"] = new(
                Lists("{alice}/web@{one}"),
                new("namespace={alice}/web&tagged", """{"digest":"{alice}/web@{one}","tag":"{alice}/web:1"}"""),
                new("digest={alice}/web@{one}", """{"tag":"{alice}/web:latest"}"""),
                new("digest={alice}/web@{one}&tag={alice}/web:1&namespace={alice}")
            ),
            ["All criteria given must hold: no match is success with []"] = new(
                Lists(),
                new("", """{"digest":"{alice}/web@{two}","tag":"{alice}/web:1"}"""),
                new("tagged", """{"digest":"{alice}/web@{two}"}"""),
                new("namespace={alice}/web2", """{"digest":"{alice}/web@{one}"}"""),
                new("namespace=official", """{"digest":"{alice}/web@{one}"}"""),
                new("namespace={alice}", """{"tag":"{hello}:latest"}"""),
                new("digest={alice}/web@{one}&tag={alice}/web2:latest"),
                new("", """{"tag":"{alice}/web:2"}"""),
                new("", """{"digest":"{alice}/web@{none}"}"""),
                new("namespace={nobody}"),
                new("namespace=official/{nobody}")
            ),
            ["A child of an index that has no tag is in no list, not even by its digest"] = new(
                Lists(),
                new("", """{"digest":"{alice}/multi@{amd64}"}"""),
                new("digest={alice}/multi@{amd64}")
            ),
            ["Nothing is assumed for a criterion that is absent: own and official images"] = new(
                (world, reply) =>
                {
                    AssertSuccess(reply.Answer);
                    var names = Names(reply);
                    Assert.Subset(
                        names.ToHashSet(StringComparer.Ordinal),
                        Own.Append("{hello}@{five}")
                            .Append("{both}@{two}")
                            .Select(world.Named)
                            .ToHashSet(StringComparer.Ordinal)
                    );
                    Assert.All(
                        names,
                        n =>
                            Assert.True(
                                !n.Contains('/') || n.StartsWith(world.Alice + "/", StringComparison.Ordinal),
                                n
                            )
                    );
                    Assert.Equal(
                        names
                            .OrderBy(n => n.Split('@')[0], StringComparer.Ordinal)
                            .ThenBy(n => n, StringComparer.Ordinal),
                        names
                    );
                },
                new(""),
                new("", ""),
                new("", "{}"),
                new("", "'{}'"),
                new("", " \r\n"),
                new("tagged=false")
            ),
            ["What is another account's is success with [], as what does not exist"] = new(
                Lists(),
                new("namespace={bob}"),
                new("namespace={bob}/web"),
                new("namespace={bob}/hidden&tagged"),
                new("digest={bob}/hidden@{hidden}"),
                new("tag={bob}/hidden:latest"),
                new("", """{"digest":"{bob}/web@{one}"}"""),
                new("", """{"tag":"{bob}/web:latest"}""")
            ),
            ["Every account has its own view"] = new(
                Lists("{bob}/hidden@{hidden}", "{bob}/web@{one}", "{bob}/web@{two}"),
                new Ask("namespace={bob}")
            )
            {
                AsBob = true,
            },
        };
}
