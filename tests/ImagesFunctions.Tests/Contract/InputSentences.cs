using System.Net;
using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// What the lists take, sentence by sentence: the requests that a sentence speaks of, and what the answer to each of them
/// must be, on all three routes that list. The forms of a token, and exact apps, are in <see cref="ImagesListContract"/>.
/// </summary>
public sealed class InputSentences(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string V1 = "/v1/images/list";
    private static readonly string[] Routes = [V1, "/v1/images", "/v1/image-store"];

    private static readonly string[] Later = Routes[1..];

    private static readonly string[] Web = ["{alice}/web@{one}", "{alice}/web@{two}"];
    private static readonly string[] Own =
    [
        "{alice}/long@{long}",
        "{alice}/multi@{multi}",
        "{alice}/multi@{arm64}",
        .. Web,
        "{alice}/web/child@{three}",
        "{alice}/web2@{four}",
    ];

    private sealed record Ask(string Query, string? Body = null, params (string Name, string Value)[] Headers);

    private sealed record Sentence(Action<World, Reply> Holds, params Ask[] Asks)
    {
        public string[] Of { get; init; } = Routes;

        public bool AsBob { get; init; }
    }

    private static readonly Dictionary<string, Sentence> Sentences = new(StringComparer.Ordinal)
    {
        ["namespace=<user> is that account's images; a child of an index is one of them only with a tag of its own"] =
            new(Lists(Own), new("namespace={alice}"), new("namespace={alice}", ""), new("namespace={alice}", "{}")),
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
            new("tag={alice}/web:1&tag={alice}/web:1"),
            new("digest={alice}/web@{one}&digest={alice}/web@{one}")
        )
        {
            Of = [V1],
        },
        ["A parameter that no generation repeats is 400 when it is given twice"] = new(
            Refuses("is given more than once"),
            new("tagged&tagged"),
            new("tagged=true&tagged=false"),
            new("limit=1&limit=1"),
            new("after=a@{none}&after=a@{none}")
        ),
        ["Several digests and tags ask later generations for every image that one of them names"] = new(
            Lists("{alice}/web@{one}", "{alice}/web2@{four}"),
            new("tag={alice}/web:1&tag={alice}/web2:latest"),
            new("tag={alice}/web2:latest&tag={alice}/web:1&tag={alice}/web:latest&tag={alice}/web:none"),
            new("digest={alice}/web@{one}&digest={alice}/web2@{four}&digest={bob}/hidden@{hidden}"),
            new("digest={alice}/web2@{four}&tag={alice}/web:1&tag={alice}/web:latest&metro=fra0")
        )
        {
            Of = Later,
        },
        ["Several digests or tags are subject to the other filters"] = new(
            Lists("{alice}/web@{one}"),
            new("namespace={alice}/web&tag={alice}/web:1&tag={alice}/web2:latest"),
            new("tagged&digest={alice}/web@{one}&digest={alice}/web@{two}")
        )
        {
            Of = Later,
        },
        ["Several digests or tags go neither with pages nor with a body"] = new(
            Refuses("do not go with digest or tag given several times"),
            new("tag={alice}/web:1&tag={alice}/web2:latest&limit=1"),
            new("tag={alice}/web:1&tag={alice}/web2:latest&after=a@{none}"),
            new("tag={alice}/web:1&tag={alice}/web2:latest", "[]")
        )
        {
            Of = Later,
        },
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
                    n => Assert.True(!n.Contains('/') || n.StartsWith(world.Alice + "/", StringComparison.Ordinal), n)
                );
                Assert.Equal(
                    names.OrderBy(n => n.Split('@')[0], StringComparer.Ordinal).ThenBy(n => n, StringComparer.Ordinal),
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
        ["The documentation's stray backslashes behind names and values are let pass, %5C too"] = new(
            Lists("{alice}/web@{one}"),
            new("namespace\\={alice}/web\\&tagged"),
            new("namespace\\={alice}/web\\&tagged\\"),
            new("namespace\\={alice}/web\\&tagged\\=1\\"),
            new("namespace%5C={alice}/web%5C&tagged"),
            new("namespace%5c={alice}/web%5c&tagged%5c"),
            new("digest\\={alice}/web@{one}\\&tag\\={alice}/web:1\\")
        ),
        ["A backslash anywhere else is part of the value"] = new(
            Refuses("is malformed"),
            new("namespace={alice}\\/web"),
            new("namespace={alice}/web\\\\"),
            new("namespace=\\{alice}")
        ),
        ["A body in single quotes is let pass"] = new(
            Lists("{alice}/web@{one}"),
            new("", """'{"tag":"{alice}/web:1"}'"""),
            new("", """'{"digest":"{alice}/web@{one}"}'"""),
            new("", "'{\n  \"tag\": \"{alice}/web:1\"\n}'\n")
        ),
        ["Names and strings may stand in single quotes, over several lines, inside single quotes too"] = new(
            Lists("{alice}/web@{one}"),
            new("", "{'tag':'{alice}/web:1'}"),
            new("", "{\n    'digest': '{alice}/web@{one}'\n}"),
            new("", "{\r\n\t'digest' : '{alice}/web@{one}',\r\n\t\"tag\" : '{alice}/web:1'\r\n}\r\n"),
            new("", "'{\n    'digest': '{alice}/web@{one}'\n}'"),
            new("", """{'tagged':"{alice}/web:1"}"""),
            new("", "{'t\\u0061g':'{alice}\\/web\\u003a1'}")
        ),
        ["Single quotes are all that a body may have of JSON5"] = new(
            Refuses("[Bb]ody"),
            new("", "{'tag':'{alice}/web:1',}"),
            new("", "{tag:'{alice}/web:1'}"),
            new("", "{'tag':'{alice}/web:1'/* one */}"),
            new("", "{'tag':'{alice}/web:1' // one\n}"),
            new("", "{'tag':'{alice}/we\\\nb:1'}"),
            new("", "{'tag':'{alice}/we\nb:1'}"),
            new("", "{'tag':'{alice}/web:1\\''}"),
            new("", "{'tag':'\\x61'}"),
            new("", "{'tag':'{alice}/web:1\"}"),
            new("", "{'tag\":'{alice}/web:1'}"),
            new("", "{'tag':'{alice}/web:1'"),
            new("", "{'tag':'{alice}/web:1}"),
            new("", "{'tag':'a\",\"digest\":\"b'}"),
            new("", "{'tag':'{alice}/web:1',\"tag\":'{alice}/web:1'}"),
            new("", "[{'tag':'a\"b'}]"),
            new("", "[{'tag':'a'},]"),
            new("", "{'tag':+1}")
        ),
        ["A string of one kind of quotes that holds the other one is a name that there is not"] = new(
            Refuses("'tag' is malformed"),
            new("", """{"tag":"{alice}/web:1'"}"""),
            new("", """{"tag":"it's"}"""),
            new("", "{'tag':'a\\\"b'}")
        ),
        ["A batch may have single quotes, too"] = new(
            Lists("{alice}/web@{one}", "{hello}@{five}"),
            new("", "[{'tag':'{alice}/web:1'},{'digest':'{hello}@{five}'}]"),
            new("", "'[\n  {\n    'tag': '{alice}/web:1'\n  },\n  { \"digest\": '{hello}@{five}' }\n]'\n")
        ),
        ["Percent-encoding is the same as the letter itself"] = new(
            Lists("{alice}/web@{one}"),
            new("namespace={alice}%2Fweb&tagged"),
            new("%6e%61mespace={alice}/web&t%61gged"),
            new("digest={alice}%2fweb%40{one}"),
            new("tag={alice}%2Fweb%3A1"),
            new("namespace={alice}/web&tagged=%31")
        ),
        ["The body's Content-Type is not checked"] = new(
            Lists("{alice}/web@{one}"),
            new("", """{"tag":"{alice}/web:1"}""", ("Content-Type", "application/json")),
            new("", """{"tag":"{alice}/web:1"}""", ("Content-Type", "application/x-www-form-urlencoded")),
            new("", """{"tag":"{alice}/web:1"}""", ("Content-Type", "multipart/form-data; boundary=x")),
            new("", """{"tag":"{alice}/web:1"}""", ("Content-Type", "text/plain; charset=utf-16")),
            new("", """{"tag":"{alice}/web:1"}""", ("Content-Type", ";;;")),
            new("", """{"tag":"{alice}/web:1"}""")
        ),
        ["A Content-Type with an empty body says nothing"] = new(
            Lists(Web),
            new("namespace={alice}/web", null, ("Content-Type", "application/json")),
            new("namespace={alice}/web", "", ("Content-Type", "application/json"))
        ),
        ["A chunked body is the same as one with its length"] = new(
            Lists("{alice}/web@{one}"),
            new("", """{"tag":"{alice}/web:1"}""", ("Transfer-Encoding", "chunked")),
            new("namespace={alice}/web&tagged", "", ("Transfer-Encoding", "chunked")),
            new("namespace={alice}/web&tagged", "{}", ("Transfer-Encoding", "chunked"))
        ),
        ["An unknown query parameter is 400 and named, so that a misspelt filter never lists everything"] = new(
            Refuses("is unknown"),
            new("namespaces={alice}"),
            new("Namespace={alice}"),
            new("NAMESPACE={alice}"),
            new("tags"),
            new("Tagged"),
            new("digests={alice}/web@{one}"),
            new("q=x"),
            new("=x"),
            new("namespace%00={alice}")
        ),
        ["An unknown or ill-typed member of the body is 400 and named"] = new(
            Refuses("'(namespace|Tag|x|digest|tag|tagged|)' (is unknown|has to be a string)"),
            new("", """{"namespace":"{alice}"}"""),
            new("", """{"Tag":"{alice}/web:1"}"""),
            new("", """{"tag":"{alice}/web:1","x":1}"""),
            new("", """{"":"x"}"""),
            new("", """{"digest":7}"""),
            new("", """{"tag":null}"""),
            new("", """{"tag":["{alice}/web:1"]}"""),
            new("", """{"digest":{}}"""),
            new("", """{"tagged":false}""")
        ),
        ["A body that is no JSON, or JSON of another kind, is 400"] = new(
            Refuses("[Bb]ody"),
            new("", "{"),
            new("", "{}{}"),
            new("", "null"),
            new("", "7"),
            new("", "\"{alice}/web:1\""),
            new("", "true"),
            new("", "{alice}/web:1"),
            new("", "tag={alice}/web:1"),
            new("", """{"tag":"{alice}/web:1",}"""),
            new("", """{"tag":"{alice}/web:1","tag":"{alice}/web:1"}"""),
            new("", """{"tag":"\ud800"}"""),
            new("", "\u0000"),
            new("", "<html>"),
            new("", new string('[', 5000))
        ),
        ["A body over 1 MiB is 413, with its length or chunked"] = new(
            (_, reply) => AssertError(HttpStatusCode.RequestEntityTooLarge, reply.Answer),
            new("", "{}".PadRight((1 << 20) + 1)),
            new("", "{}".PadRight((1 << 20) + 1), ("Transfer-Encoding", "chunked")),
            new("", "{}".PadRight(3 << 20), ("Transfer-Encoding", "chunked")),
            new("", null, ("Content-Length", "2000000000000"))
        )
        {
            Of = [V1],
        },
        ["A body of 1 MiB is read"] = new(
            Lists(Web),
            new("namespace={alice}/web", "{}".PadRight(1 << 20)),
            new("namespace={alice}/web", "{}".PadRight(1 << 20), ("Transfer-Encoding", "chunked"))
        )
        {
            Of = [V1],
        },
        ["limit is a number from 1 to 1000"] = new(
            Refuses("'limit' has to be"),
            new("limit"),
            new("limit="),
            new("limit=0"),
            new("limit=-1"),
            new("limit=1001"),
            new("limit=1.0"),
            new("limit=1e2"),
            new("limit=%20" + "1"),
            new("limit=99999999999999999999"),
            new("limit=%D9%A1")
        ),
        ["after is a reference by digest"] = new(
            Refuses("'after' is malformed"),
            new("after"),
            new("after="),
            new("after={alice}/web"),
            new("after={alice}/web:1"),
            new("after={one}")
        ),
        ["metro is accepted by later generations, whatever it says, and means nothing"] = new(
            Lists(Web),
            new("namespace={alice}/web&metro=fra0"),
            new("namespace={alice}/web&metro=")
        )
        {
            Of = Later,
        },
        ["details means nothing where there is no list of the control plane"] = new(
            Lists(Web),
            new("namespace={alice}/web&details=true"),
            new("namespace={alice}/web&details"),
            new("namespace={alice}/web&details=maybe&metro=fra0")
        )
        {
            Of = ["/v1/image-store"],
        },
        ["details and metro are unknown to the first generation"] = new(
            Refuses("'(details|metro)' is unknown"),
            new("details=true"),
            new("metro=fra0")
        )
        {
            Of = [V1],
        },
        ["[] gives []"] = new(Lists(), new("", "[]"), new("", "'[]'"), new("namespace={alice}&tagged", "[]")),
        ["{} or null in an array, and whatever else is no object with a digest or a tag, is 400"] = new(
            Refuses("Item [01] of the body"),
            new("", "[{}]"),
            new("", "[null]"),
            new("", "[[]]"),
            new("", "[7]"),
            new("", """["{alice}/web:1"]"""),
            new("", """[{"tag":"{alice}/web:1"},{}]"""),
            new("", """[{"tag":"{alice}/web:1"},null]"""),
            new("", """[{"tag":"{alice}/web:1","x":""}]"""),
            new("", """[{"namespace":"{alice}"}]"""),
            new("", """[{"tag":7}]"""),
            new("", """[{"tag":"{alice}/web:1","tagged":"{alice}/web:1"}]""")
        ),
        ["limit, after, digest and tag do not go with an array"] = new(
            Refuses("do not go with an array"),
            new("limit=1", "[]"),
            new("after={alice}/web@{one}", "[]"),
            new("digest={alice}/web@{one}", "[]"),
            new("tag={alice}/web:1", """[{"tag":"{alice}/web:1"}]""")
        ),
        ["A batch over 1,000 items is 400 with error 5"] = new(
            Refuses("1001 items", 5),
            new("", $"[{string.Join(',', Enumerable.Repeat("""{"tag":"{alice}/web:1"}""", 1001))}]"),
            new("", $"[{string.Join(',', Enumerable.Repeat("null", 1001))}]")
        ),
    };

    public static TheoryData<string> Names_of_sentences => [.. Sentences.Keys];

    [Theory]
    [MemberData(nameof(Names_of_sentences))]
    public async Task Input(string sentence)
    {
        var world = await World.OfAsync(Host);
        var spoken = Sentences[sentence];
        foreach (var route in spoken.Of)
        {
            foreach (var ask in spoken.Asks)
            {
                var target = world.Named(ask.Query.Length == 0 ? route : $"{route}?{ask.Query}");
                var reply = await Host.AskAsync(
                    target,
                    spoken.AsBob ? world.BobToken : world.AliceToken,
                    ask.Body is null ? null : world.Named(ask.Body),
                    ask.Headers
                );
                try
                {
                    spoken.Holds(world, reply);
                }
                catch (Exception error)
                {
                    Assert.Fail($"GET {target} {ask.Body}\n{reply.Status} {reply.Text}\n{error.Message}");
                }
            }
        }
    }

    // Exactly these, in the order of lists: by repository, then by digest.
    private static Action<World, Reply> Lists(params string[] expected) =>
        (world, reply) =>
        {
            AssertSuccess(reply.Answer);
            Assert.Equal(
                expected
                    .Select(world.Named)
                    .OrderBy(n => n.Split('@')[0], StringComparer.Ordinal)
                    .ThenBy(n => n, StringComparer.Ordinal),
                Names(reply)
            );
        };

    private static Action<World, Reply> Refuses(string reason, int? number = null) =>
        (_, reply) =>
        {
            AssertError(HttpStatusCode.BadRequest, reply.Answer, number);
            Assert.Matches(reason, reply.Json["message"]!.GetValue<string>());
        };

    // As the first generation writes them.
    private static List<string> Names(Reply reply) =>
        [
            .. reply.Images.Select(i =>
                i["url"] is not { } url
                    ? i["digest"]!.GetValue<string>()
                    : url.GetValue<string>().Split('/', 2)[1].Replace("official/", "", StringComparison.Ordinal)
            ),
        ];
}
