using System.Buffers.Binary;
using System.Reflection;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace ImagesFunctions.FunctionsHost;

/// <summary>
/// The messages between the Functions host and a worker (azure-functions-language-worker-protobuf, <c>FunctionRpc.proto</c>), as
/// JSON. Their types are internal to the worker's own assembly; its descriptor says all that is needed to read and write them.
/// </summary>
internal sealed class Protocol
{
    /// <summary>The one method of the service: both sides send <c>StreamingMessage</c>s for as long as the worker lives.</summary>
    public const string EventStream = "/AzureFunctionsRpcMessages.FunctionRpc/EventStream";

    // A frame of gRPC: whether it is compressed, and its length.
    private const int HeaderBytes = 5;
    private const int MaxMessageBytes = 64 * 1024 * 1024;

    private readonly MessageDescriptor _message;
    private readonly JsonParser _parser;

    /// <summary>Reads the descriptor from the worker's assembly in the app's folder.</summary>
    public Protocol(string appDirectory)
    {
        var assembly = Assembly.LoadFrom(Path.Combine(appDirectory, "Microsoft.Azure.Functions.Worker.Grpc.dll"));
        var type =
            assembly.GetType("Microsoft.Azure.Functions.Worker.Grpc.Messages.StreamingMessage")
            ?? throw new InvalidOperationException($"{assembly} has no StreamingMessage.");
        var descriptor = type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static);
        _message = (MessageDescriptor)descriptor!.GetValue(null)!;
        _parser = new JsonParser(new JsonParser.Settings(100, TypeRegistry.FromMessages(_message)));
    }

    /// <summary>The next message; null at the end of the stream.</summary>
    public async Task<JsonObject?> ReadAsync(Stream stream, CancellationToken stop)
    {
        var header = new byte[HeaderBytes];
        var read = await stream.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, stop);
        if (read == 0)
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (read < HeaderBytes || header[0] != 0 || length > MaxMessageBytes)
        {
            throw new InvalidDataException("The worker sent what is no frame of an uncompressed message.");
        }

        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, stop);
        return (JsonObject)JsonNode.Parse(JsonFormatter.Default.Format(_message.Parser.ParseFrom(bytes)))!;
    }

    /// <summary>Writes one message.</summary>
    public async Task WriteAsync(Stream stream, JsonObject message, CancellationToken stop)
    {
        var bytes = _parser.Parse(message.ToJsonString(), _message).ToByteArray();
        var frame = new byte[HeaderBytes + bytes.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)bytes.Length);
        bytes.CopyTo(frame, HeaderBytes);
        await stream.WriteAsync(frame, stop);
        await stream.FlushAsync(stop);
    }
}
