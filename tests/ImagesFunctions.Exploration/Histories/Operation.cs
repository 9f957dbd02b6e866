using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagesFunctions.Exploration.Histories;

/// <summary>What a client asked for.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OperationKind>))]
public enum OperationKind
{
    /// <summary>A tag is pushed: it names a manifest from then on.</summary>
    [JsonStringEnumMemberName("put")]
    Put,

    /// <summary>A tag is deleted.</summary>
    [JsonStringEnumMemberName("delete")]
    Delete,

    /// <summary>A manifest is deleted, and with it every tag that names it.</summary>
    [JsonStringEnumMemberName("delete-image")]
    DeleteImage,

    /// <summary>A tag is asked for.</summary>
    [JsonStringEnumMemberName("get")]
    Get,

    /// <summary>All tags are asked for at once.</summary>
    [JsonStringEnumMemberName("list")]
    List,
}

/// <summary>What a client knows about the end of an operation.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OperationOutcome>))]
public enum OperationOutcome
{
    /// <summary>It was answered: it took effect between its start and its end.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>It was refused: it has no effect, and says nothing.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>The answer got lost, or said that something went wrong: it may take effect at any time after its start, or never.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown,
}

/// <summary>An operation of a history: one line of JSON. All times are of one monotonic clock, in any unit.</summary>
/// <param name="Op">What was asked for.</param>
/// <param name="Start">When it was sent.</param>
/// <param name="End">When its answer was there; of no meaning where the outcome is unknown.</param>
/// <param name="Outcome">What is known about its end.</param>
public sealed record Operation(OperationKind Op, long Start, long End, OperationOutcome Outcome)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>The tag, with its repository, such as <c>alice/web:v1</c>; null of an operation that has none.</summary>
    public string? Tag { get; init; }

    /// <summary>The digest that is pushed, deleted or found; null where a tag was found not to be there.</summary>
    public string? Value { get; init; }

    /// <summary>Of a list: the digests of all tags by their names. A tag that is not among them was not there.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    /// <summary>Who asked; only for those who read a history.</summary>
    public string? Client { get; init; }

    /// <summary>Parses a line.</summary>
    /// <exception cref="FormatException">It is not an operation.</exception>
    public static Operation Parse(string line)
    {
        Operation operation;
        try
        {
            operation =
                JsonSerializer.Deserialize<Operation>(line, s_json)
                ?? throw new FormatException("null is no operation");
        }
        catch (JsonException error)
        {
            throw new FormatException($"[{line}] is not an operation: {error.Message}", error);
        }

        var isComplete = operation switch
        {
            { Op: OperationKind.Put } => operation is { Tag: not null, Value: not null },
            { Op: OperationKind.DeleteImage } => operation.Value is not null,
            { Op: OperationKind.List } => operation.Tags is not null || operation.Outcome != OperationOutcome.Ok,
            _ => operation.Tag is not null,
        };
        return isComplete && (operation.Outcome != OperationOutcome.Ok || operation.Start <= operation.End)
            ? operation
            : throw new FormatException($"[{line}] lacks what such an operation has, or ends before it starts");
    }

    /// <summary>The operation as a line.</summary>
    public override string ToString() => JsonSerializer.Serialize(this, s_json);
}
