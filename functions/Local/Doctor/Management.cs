using System.Text.Json;
using Azure.Core;
using Azure.Core.Pipeline;

namespace ImagesFunctions.Local;

/// <summary>
/// Asks Azure Resource Manager, with an identity. Six requests need no SDK of their own: its packages for web apps and Event Grid are
/// many times this program, and the pipeline of <c>Azure.Core</c>, which storage brings, has tokens and retries.
/// </summary>
internal sealed class Management
{
    private const int MaxLength = 4 * 1024 * 1024;
    private const int MaxRetries = 2;

    private static readonly Uri s_azure = new("https://management.azure.com");
    private static readonly string[] s_scopes = ["https://management.azure.com/.default"];

    private readonly HttpPipeline _pipeline;
    private readonly Uri _address;

    /// <summary>Makes a client.</summary>
    /// <param name="credential">Who asks.</param>
    /// <param name="address">Null: that of Azure. Any other has to be on this machine: how tests answer.</param>
    /// <param name="network">Sends the requests; null: as usual.</param>
    /// <exception cref="ArgumentException">The address is of another machine.</exception>
    public Management(TokenCredential credential, Uri? address = null, HttpMessageHandler? network = null)
    {
        if (address is { IsLoopback: false })
        {
            throw new ArgumentException("A token is for Azure alone.", nameof(address));
        }

        _address = address ?? s_azure;
        var options = new Options();
        options.Retry.MaxRetries = MaxRetries;
        options.Retry.Delay = TimeSpan.FromMilliseconds(200);
        if (network is not null)
        {
            options.Transport = new HttpClientTransport(network);
        }

        _pipeline = HttpPipelineBuilder.Build(options, new BearerTokenAuthenticationPolicy(credential, s_scopes));
    }

    /// <summary>Gets a resource.</summary>
    /// <param name="path">Its id, or what lists some; with its query, if it has one.</param>
    /// <param name="version">The version of the API.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="ManagementException">It is refused, or not there.</exception>
    public Task<JsonElement> GetAsync(string path, string version, CancellationToken cancellationToken) =>
        AskAsync(RequestMethod.Get, path, version, cancellationToken);

    /// <summary>As <see cref="GetAsync"/>, for what is given out on POST only, because it may hold secrets.</summary>
    public Task<JsonElement> PostAsync(string path, string version, CancellationToken cancellationToken) =>
        AskAsync(RequestMethod.Post, path, version, cancellationToken);

    /// <summary>Asks, and where that is refused says what would allow it.</summary>
    /// <param name="ask">Asks.</param>
    /// <param name="mend">The command.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<JsonElement> AllowedAsync(
        Func<CancellationToken, Task<JsonElement>> ask,
        string mend,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ask(cancellationToken);
        }
        catch (ManagementException error) when (error.Status == StatusCodes.Status403Forbidden)
        {
            throw new ManagementException(error.Status, error.Message) { Mend = mend };
        }
    }

    private async Task<JsonElement> AskAsync(
        RequestMethod method,
        string path,
        string version,
        CancellationToken cancellationToken
    )
    {
        using var message = _pipeline.CreateMessage();
        message.BufferResponse = false;
        var request = message.Request;
        request.Method = method;
        request.Uri.Reset(new Uri(_address, $"{path}{(path.Contains('?') ? '&' : '?')}api-version={version}"));
        request.Headers.Add("Accept", "application/json");
        if (method == RequestMethod.Post)
        {
            request.Content = RequestContent.Create(BinaryData.FromString(""));
        }

        await _pipeline.SendAsync(message, cancellationToken);
        var (status, body) = (
            message.Response.Status,
            await ReadAsync(message.Response.ContentStream, cancellationToken)
        );
        if (status is >= 200 and < 300 && body is { ValueKind: JsonValueKind.Object } answer)
        {
            return answer;
        }

        var error = body is { ValueKind: JsonValueKind.Object } said ? said.At("error") : null;
        var code = error?.Text("code");
        throw new ManagementException(status, $"Azure answered {status}{(code is null ? "" : $" {code}")}")
        {
            Mend = status == StatusCodes.Status401Unauthorized ? "az login" : null,
        };
    }

    private static async Task<JsonElement?> ReadAsync(Stream? body, CancellationToken cancellationToken)
    {
        if (body is null)
        {
            return null;
        }

        var bytes = new byte[MaxLength];
        var length = await body.ReadAtLeastAsync(bytes, MaxLength, throwOnEndOfStream: false, cancellationToken);
        try
        {
            using var json = JsonDocument.Parse(bytes.AsMemory(0, length));
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            // Somebody between us and Azure, or more than any answer has.
            return null;
        }
    }

    private sealed class Options : ClientOptions;
}
