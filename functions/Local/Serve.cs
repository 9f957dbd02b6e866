using System.CommandLine;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>
/// <c>serve</c>: the Images API on this machine. On an emulator with something in it to look at; on any other account as a
/// gateway, which does nothing by itself.
/// </summary>
internal sealed class Serve(Terminal terminal, ParseResult parsed)
{
    private const string Demo = "demo";

    private readonly TextWriter _output = terminal.Output;

    /// <param name="urls">Where to listen; null: <see cref="LocalHost.DefaultUrl"/>.</param>
    /// <param name="gateway">Whether it only serves; null: where the store is no emulator.</param>
    /// <param name="cancellationToken">Ends it in an orderly way.</param>
    public async Task<int> RunAsync(string? urls, bool? gateway, CancellationToken cancellationToken)
    {
        await using var store = await LocalStore.OpenAsync(
            parsed.GetValue(terminal.Data),
            terminal.Errors,
            cancellationToken
        );
        var isGateway = gateway ?? !store.IsEmulator;
        if (isGateway)
        {
            await Gateway.CheckAsync(store, cancellationToken);
        }

        await using var app = LocalHost.Build(store, urls, isGateway);
        await app.ListenAsync(cancellationToken);
        if (isGateway)
        {
            await _output.WriteLineAsync(
                $"""
                ImagesFunctions serves {At(app)} as a gateway to {store.Address}
                It watches nothing, collects no garbage and makes nothing by itself: that is for the function app to do.
                A token: {Create("<account>")}
                """
            );
        }
        else
        {
            await _output.WriteLineAsync(
                $"ImagesFunctions serves {At(app)} and watches {store.Address}{StorageAccount.ImagesContainer}"
            );
            await GreetAsync(app, store, cancellationToken);
        }

        await _output.WriteLineAsync("Ctrl+C ends it.");
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    private async Task GreetAsync(WebApplication app, LocalStore store, CancellationToken cancellationToken)
    {
        var tokens = app.Images().Tokens;
        if (await tokens.ListAsync(Demo, cancellationToken).AnyAsync(cancellationToken))
        {
            await _output.WriteLineAsync($"Account {Demo} exists. Another token for it: {Create(Demo)}");
            return;
        }

        var holds = store.IsEmulator
            ? await FreshStore.LookAsync(store.Account, cancellationToken)
            : StoreHolds.Something;
        if (holds == StoreHolds.Something)
        {
            await _output.WriteLineAsync($"A token: {Create("<account>")}");
            return;
        }

        // The token comes last: it is what says that the store is not fresh any more.
        await SampleImage.ImportAsync(store.Account.Images, cancellationToken);
        var (_, token) = await tokens.CreateAsync(Demo, lifetime: null, cancellationToken);
        var before =
            holds == StoreHolds.Nothing
                ? "The store was empty"
                : "The store had no account, and no image but the sample";
        await _output.WriteLineAsync(
            $"""

            {before}: it has an account "{Demo}" now, and a sample image, the official "hello".
            The token of {Demo}, shown only this once:

              {token}

            Look at it in a browser, with that token: {At(app)}/browse

            Try:

              curl -H "Authorization: Bearer {token}" "{At(app)}/v1/images/list"
              curl -H "Authorization: Bearer {token}" "{At(app)}/v1/images/list?namespace=official/hello"

            """
        );
    }

    private string Create(string account) => terminal.Hint(parsed, $"token create {account}");

    private static string At(WebApplication app) => app.Address().GetLeftPart(UriPartial.Authority);
}
