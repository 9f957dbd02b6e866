using System.Net;
using static ImagesFunctions.Tests.Contract.Envelopes;
using static ImagesFunctions.Tests.Contract.Sentence;

namespace ImagesFunctions.Tests.Contract;

/// <summary>How filters may be written: quotes, backslashes, encodings, unknown names, and arrays in the body.</summary>
internal static class NotationSentences
{
    public static Dictionary<string, Sentence> All { get; } =
        new(StringComparer.Ordinal)
        {
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
            ["details and metro are accepted by later generations, whatever they say, and mean nothing"] = new(
                Lists(Web),
                new("namespace={alice}/web&details=true"),
                new("namespace={alice}/web&details"),
                new("namespace={alice}/web&details=maybe&metro=fra0"),
                new("namespace={alice}/web&metro=")
            )
            {
                Of = ["/v1/images", "/v1/image-store"],
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
}
