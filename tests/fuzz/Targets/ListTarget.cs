using System.Text;
using System.Text.Json;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Requests for lists, a query and a body with a line between them: what is read and written again reads the same; nothing that was
/// given is dropped; and the only errors are 400 and 413.
/// </summary>
internal static class ListTarget
{
    public static void Check(byte[] input)
    {
        var end = Array.IndexOf(input, (byte)'\n');
        var query = Encoding.UTF8.GetString(end < 0 ? input : input[..end]);
        var body = end < 0 ? [] : input[(end + 1)..];
        foreach (var ofLaterGeneration in (bool[])[false, true])
        {
            if (Read(query, body, ofLaterGeneration) is { } list)
            {
                CheckOne(list, ofLaterGeneration);
            }
        }

        CheckRepositories(query);
    }

    /// <summary>A request of this query and body.</summary>
    public static HttpRequest Request(string query, byte[] body)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString("?" + query);
        // It is written over while it is read.
        context.Request.Body = new MemoryStream([.. body]);
        return context.Request;
    }

    private static void CheckOne(ListRequest list, bool ofLaterGeneration)
    {
        Holds.True(ofLaterGeneration || list.AnyOf.Count == 0, "several references before there were such");
        Holds.True(list.Batch is null || (!list.Filter.IsForOne && list.Limit is null), "a batch beside a selection");
        Holds.True(list.Limit is null or (>= 1 and <= 1_000), "a limit that is not allowed");

        var (query, body) = Write(list);
        var again =
            Read(query, body, ofLaterGeneration)
            ?? throw new PropertyBrokenException($"what was read is refused: {query} {Encoding.UTF8.GetString(body)}");
        Holds.Same(list.Filter, again.Filter, "the filter");
        Holds.Same(list.Limit, again.Limit, "the limit");
        Holds.Same(list.After, again.After, "the last image before");
        Holds.SameAll(list.AnyOf, again.AnyOf, "the references");
        Holds.Same(list.Batch is null, again.Batch is null, "whether it is a batch");
        Holds.SameAll(list.Batch ?? [], again.Batch ?? [], "the batch");
        foreach (var item in list.Batch ?? [])
        {
            Holds.True(item.Name is not null, "an item has no name");
            Holds.True(item.MalformedMember is not null || item.Filter(list.Filter).IsForOne, "an item for no image");
        }
    }

    private static void CheckRepositories(string query)
    {
        var request = Request(query, []);
        RepositoriesRequest.IsMeantBy(request);
        try
        {
            var read = RepositoriesRequest.Read(request);
            Holds.True(read.Filters.Count is >= 1 and <= 100, "no filter, or too many");
        }
        catch (ApiException error)
        {
            Holds.Same(StatusCodes.Status400BadRequest, error.Status, "the status of a refusal");
        }
    }

    private static ListRequest? Read(string query, byte[] body, bool ofLaterGeneration)
    {
        try
        {
            var read = ListRequest.ReadAsync(Request(query, body), ofLaterGeneration, CancellationToken.None);
            Holds.True(read.IsCompleted, "it waits for something");
            return read.GetAwaiter().GetResult();
        }
        catch (ApiException error)
        {
            Holds.Same(StatusCodes.Status400BadRequest, error.Status, "the status of a refusal");
            Holds.True(error.Message.Length > 0, "a refusal has no reason");
            return null;
        }
    }

    private static (string Query, byte[] Body) Write(ListRequest list)
    {
        var parameters = new List<(string Name, string Value)>();
        var filter = list.Filter;
        if (filter.Namespace is not null)
        {
            parameters.Add(("namespace", filter.App is null ? filter.Namespace : $"{filter.Namespace}/{filter.App}"));
        }

        Add("tagged", filter.Tagged ? "true" : null);
        Add("digest", Text(filter.Digest));
        Add("tag", Text(filter.Tag));
        Add("limit", list.Limit?.ToString());
        Add("after", Text(list.After));
        foreach (var any in list.AnyOf)
        {
            Add("digest", Text(any.Digest));
            Add("tag", Text(any.Tag));
        }

        var query = string.Join('&', parameters.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));
        return (query, list.Batch is null ? [] : Write(list.Batch));

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                parameters.Add((name, value));
            }
        }
    }

    private static byte[] Write(IReadOnlyList<BatchItem> batch) =>
        JsonSerializer.SerializeToUtf8Bytes(
            batch.Select(item =>
            {
                var members = new Dictionary<string, string>(StringComparer.Ordinal);
                if (item.DigestText is not null)
                {
                    members["digest"] = item.DigestText;
                }

                if (item.TagText is not null)
                {
                    members["tag"] = item.TagText;
                }

                return members;
            })
        );

    private static string? Text(Reference? reference) =>
        reference is null
            ? null
            : reference.Repository.DisplayName + (reference.Tag is { } tag ? $":{tag}" : $"@{reference.Digest}");
}
