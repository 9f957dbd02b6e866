using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary><c>serve</c>: the Images API on this machine, with something in it to look at.</summary>
internal static class Serve
{
    private const string Demo = "demo";
    private const string CreateToken = "dotnet run --project functions/Local -- token create";

    public static async Task<int> RunAsync(
        string? data,
        string? urls,
        TextWriter output,
        TextWriter errors,
        CancellationToken cancellationToken
    )
    {
        await using var store = await LocalStore.OpenAsync(data, errors, cancellationToken);
        await using var app = LocalHost.Build(store.ConnectionString, urls);
        await app.ListenAsync(cancellationToken);
        await GreetAsync(app, output, cancellationToken);
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }

    private static async Task GreetAsync(WebApplication app, TextWriter output, CancellationToken cancellationToken)
    {
        var storage = app.Services.GetRequiredService<StorageAccount>();
        var tokens = app.Services.GetRequiredService<Tokens>();
        var address = app.Address().GetLeftPart(UriPartial.Authority);
        await output.WriteLineAsync($"ImagesFunctions serves {address} and watches {storage.Images.Uri}");
        if (!LocalStore.IsEmulator(storage))
        {
            await output.WriteLineAsync($"A token: {CreateToken} <account>");
        }
        else if (await tokens.ListAsync(Demo, cancellationToken).AnyAsync(cancellationToken))
        {
            await output.WriteLineAsync($"Account {Demo} exists. Another token for it: {CreateToken} {Demo}");
        }
        else
        {
            // The token comes last: it is what says that the store is not fresh any more.
            await SampleImage.ImportAsync(storage.Images, cancellationToken);
            var (_, token) = await tokens.CreateAsync(Demo, lifetime: null, cancellationToken);
            await output.WriteLineAsync(
                $"""

                The store was empty: it has an account "{Demo}" now, and a sample image, the official "hello".
                The token of {Demo}, shown only this once:

                  {token}

                Try:

                  curl -H "Authorization: Bearer {token}" "{address}/v1/images/list"
                  curl -H "Authorization: Bearer {token}" "{address}/v1/images/list?namespace=official/hello"

                """
            );
        }

        await output.WriteLineAsync("Ctrl+C ends it.");
    }
}
