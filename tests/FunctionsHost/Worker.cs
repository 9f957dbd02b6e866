using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace ImagesFunctions.FunctionsHost;

/// <summary>One worker process and the stream between it and the host.</summary>
internal sealed class Worker : IDisposable
{
    private const int MaxLines = 2_000;

    private readonly Protocol _protocol;
    private readonly Process _process;
    private readonly Channel<JsonObject> _outgoing = Channel.CreateUnbounded<JsonObject>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonObject>> _awaited = new(
        StringComparer.Ordinal
    );
    private readonly ConcurrentQueue<string> _lines = new();

    private Worker(Protocol protocol, Process process)
    {
        _protocol = protocol;
        _process = process;
        Exited = WatchAsync();
    }

    /// <summary>The id with which the process introduces itself on the stream.</summary>
    public string Id { get; private init; } = "";

    /// <summary>Where the process takes the requests of HTTP triggers.</summary>
    public string HttpUri { get; private set; } = "";

    public IReadOnlyList<AppFunction> Functions { get; private set; } = [];

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited { get; }

    public int ProcessId => _process.Id;

    /// <summary>What it has written and logged, the last lines.</summary>
    public string Log => string.Join('\n', _lines);

    /// <summary>Starts the process. <see cref="ServeStreamAsync"/> has to be called when it connects.</summary>
    public static Worker Start(
        Protocol protocol,
        string appDirectory,
        Uri rpc,
        IReadOnlyDictionary<string, string> settings
    )
    {
        var id = Guid.NewGuid().ToString();
        string[] arguments =
        [
            Path.Combine(appDirectory, WorkerPath(appDirectory)),
            .. new[] { "--functions-uri", rpc.ToString(), "--functions-worker-id", id },
            .. new[] { "--functions-request-id", Guid.NewGuid().ToString() },
            .. new[] { "--functions-grpc-max-message-length", "2147483647" },
        ];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = appDirectory,
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = appDirectory;
        start.Environment["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        return new Worker(protocol, Process.Start(start)!) { Id = id };
    }

    /// <summary>Serves the stream that this worker has opened, until either side closes it.</summary>
    public async Task ServeStreamAsync(Stream incoming, Stream outgoing, CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var writing = WriteAsync(outgoing, ended.Token);
        try
        {
            while (await _protocol.ReadAsync(incoming, stop) is { } message)
            {
                Take(message);
            }
        }
        finally
        {
            await ended.CancelAsync();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What the host does before it calls anything: init, metadata, load.</summary>
    /// <param name="appDirectory">The app's folder.</param>
    /// <param name="isEnabled">Which of the functions to load.</param>
    /// <param name="stop">Cancels the wait for the worker.</param>
    public async Task LoadAsync(string appDirectory, Func<AppFunction, bool> isEnabled, CancellationToken stop)
    {
        var init = await AskAsync(
            "workerInitRequest",
            new()
            {
                ["hostVersion"] = "4.1048.200.0",
                ["workerDirectory"] = appDirectory,
                ["functionAppDirectory"] = appDirectory,
                ["capabilities"] = new JsonObject(),
            },
            "workerInitResponse",
            stop
        );
        HttpUri = init["capabilities"]![nameof(HttpUri)]!.GetValue<string>();
        var metadata = await AskAsync(
            "functionsMetadataRequest",
            new() { ["functionAppDirectory"] = appDirectory },
            "functionMetadataResponse",
            stop
        );
        Functions = AppFunction.In(metadata);
        foreach (var function in Functions.Where(isEnabled))
        {
            var description = function.Metadata.DeepClone().AsObject();
            description.Remove("rawBindings");
            var loaded = await AskAsync(
                "functionLoadRequest",
                new() { ["functionId"] = function.Id, ["metadata"] = description },
                "functionLoadResponse",
                stop,
                key: function.Id
            );
            if (!Succeeded(loaded["result"]))
            {
                throw new InvalidOperationException($"{function.Name} was not loaded: {loaded}");
            }
        }
    }

    /// <summary>Calls a function and returns the worker's <c>invocationResponse</c>; cancelled, it tells the worker so and waits on.</summary>
    public async Task<JsonObject> InvokeAsync(string invocationId, JsonObject request, CancellationToken stop)
    {
        await using var cancel = stop.Register(() =>
            Send("invocationCancel", new() { ["invocationId"] = invocationId })
        );
        request["invocationId"] = invocationId;
        return await AskAsync(
            "invocationRequest",
            request,
            "invocationResponse",
            CancellationToken.None,
            key: invocationId
        );
    }

    /// <summary>Asks the worker to finish what runs and to end; it is not killed afterwards.</summary>
    public void Terminate(TimeSpan grace) =>
        Send("workerTerminate", new() { ["gracePeriod"] = FormattableString.Invariant($"{grace.TotalSeconds:0}s") });

    /// <summary>SIGKILL, as <c>kill -9</c> does.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    public void Dispose() => _process.Dispose();

    /// <summary>Whether a <c>StatusResult</c> says success. 0, which JSON leaves out, is a failure.</summary>
    public static bool Succeeded(JsonNode? result) => result?["status"]?.GetValue<string>() == "Success";

    // The build says which assembly is the worker.
    private static string WorkerPath(string appDirectory) =>
        JsonNode.Parse(File.ReadAllBytes(Path.Combine(appDirectory, "worker.config.json")))!["description"]![
            "defaultWorkerPath"
        ]!.GetValue<string>();

    private async Task<JsonObject> AskAsync(
        string question,
        JsonObject content,
        string answer,
        CancellationToken stop,
        string key = ""
    )
    {
        var awaited = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited[answer + key] = awaited;
        Send(question, content);
        await Task.WhenAny(awaited.Task, Exited).WaitAsync(stop);
        return awaited.Task.IsCompleted ? await awaited.Task : throw new WorkerExitedException(await Exited, Log);
    }

    private void Send(string kind, JsonObject content) =>
        _outgoing.Writer.TryWrite(new() { ["requestId"] = Guid.NewGuid().ToString(), [kind] = content });

    private void Take(JsonObject message)
    {
        // A cancellation is answered by an empty message.
        var (kind, content) = message.SingleOrDefault(member => member.Key != "requestId");
        if (kind is null)
        {
            return;
        }

        if (kind == "rpcLog")
        {
            Note($"{content!["level"]} {content["category"]}: {content["message"]} {content["exception"]?["message"]}");
            return;
        }

        var key = content!["invocationId"] ?? content["functionId"];
        if (_awaited.TryRemove(kind + key?.GetValue<string>(), out var awaited))
        {
            awaited.TrySetResult(content.AsObject());
        }
    }

    private async Task WriteAsync(Stream outgoing, CancellationToken stop)
    {
        await foreach (var message in _outgoing.Reader.ReadAllAsync(stop))
        {
            await _protocol.WriteAsync(outgoing, message, stop);
        }
    }

    private async Task<int> WatchAsync()
    {
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    private void Note(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue(line);
        while (_lines.Count > MaxLines)
        {
            _lines.TryDequeue(out _);
        }
    }
}

/// <summary>The worker process is gone while an answer of it is awaited.</summary>
public sealed class WorkerExitedException(int exitCode, string log)
    : Exception($"The worker exited with {exitCode}. It said:\n{log}");
