using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>
/// <c>serve</c>: the Images API on this machine. On an emulator with something in it to look at; on any other account as a
/// gateway, which does nothing by itself.
/// </summary>
internal sealed class Serve(TextWriter output, TextWriter errors)
{
    private const string Demo = "demo";
    private const string CreateToken = "dotnet run --project functions/Local -- token create";

    /// <param name="data">The data folder; null: as for every command.</param>
    /// <param name="urls">Where to listen; null: <see cref="LocalHost.DefaultUrl"/>.</param>
    /// <param name="gateway">Whether it only serves; null: where the store is no emulator.</param>
    /// <param name="cancellationToken">Ends it in an orderly way.</param>
    public async Task<int> RunAsync(string? data, string? urls, bool? gateway, CancellationToken cancellationToken)
    {
        await using var store = await LocalStore.OpenAsync(data, errors, cancellationToken);
        var isGateway = gateway ?? !store.IsEmulator;
        if (isGateway)
        {
            await Gateway.CheckAsync(store, cancellationToken);
        }

        await using var app = LocalHost.Build(store, urls, isGateway);
        await app.ListenAsync(cancellationToken);
        if (isGateway)
        {
            await output.WriteLineAsync(
                $"""
                ImagesFunctions serves {At(app)} as a gateway to {store.Address}
                It watches nothing, collects no garbage and makes nothing by itself: that is for the function app to do.
                A token: {CreateToken} <account>
                """
            );
        }
        else
        {
            await output.WriteLineAsync(
                $"ImagesFunctions serves {At(app)} and watches {store.Address}{StorageAccount.ImagesContainer}"
            );
            await GreetAsync(app, store, cancellationToken);
        }

        await output.WriteLineAsync("Ctrl+C ends it.");
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    private async Task GreetAsync(WebApplication app, LocalStore store, CancellationToken cancellationToken)
    {
        var tokens = app.Images().Tokens;
        if (await tokens.ListAsync(Demo, cancellationToken).AnyAsync(cancellationToken))
        {
            await output.WriteLineAsync($"Account {Demo} exists. Another token for it: {CreateToken} {Demo}");
            return;
        }

        var holds = store.IsEmulator
            ? await FreshStore.LookAsync(store.Account, cancellationToken)
            : StoreHolds.Something;
        if (holds == StoreHolds.Something)
        {
            await output.WriteLineAsync($"A token: {CreateToken} <account>");
            return;
        }

        // The token comes last: it is what says that the store is not fresh any more.
        await SampleImage.ImportAsync(store.Account.Images, cancellationToken);
        var (_, token) = await tokens.CreateAsync(Demo, lifetime: null, cancellationToken);
        var before =
            holds == StoreHolds.Nothing
                ? "The store was empty"
                : "The store had no account, and no image but the sample";
        await output.WriteLineAsync(
            $"""

            {before}: it has an account "{Demo}" now, and a sample image, the official "hello".
            The token of {Demo}, shown only this once:

              {token}

            Try:

              curl -H "Authorization: Bearer {token}" "{At(app)}/v1/images/list"
              curl -H "Authorization: Bearer {token}" "{At(app)}/v1/images/list?namespace=official/hello"

            """
        );
    }

    private static string At(WebApplication app) => app.Address().GetLeftPart(UriPartial.Authority);
}
