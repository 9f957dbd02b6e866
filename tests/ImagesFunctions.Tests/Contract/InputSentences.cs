namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// What the lists take, sentence by sentence: the requests that a sentence speaks of, and what the answer to each of them
/// must be, on all three routes that list. The forms of a token are in <see cref="TokenContract"/>, exact apps in
/// <see cref="ImagesListContract"/>.
/// </summary>
public sealed class InputSentences(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private static readonly Dictionary<string, Sentence> Sentences = new(
        FilterSentences.All.Concat(NotationSentences.All),
        StringComparer.Ordinal
    );

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
}
