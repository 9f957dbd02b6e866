using System.Net;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The envelope that every answer of the Images API has.</summary>
internal static class Envelopes
{
    public static void AssertSuccess(Answer answer, string member = "images")
    {
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status} {answer.Body}");
        Assert.Equal("success", AssertData(answer, member)["status"]!.GetValue<string>());
        Assert.Equal("data op_time_us status", MembersOf(answer.Json));
    }

    /// <summary>A batch of which some or all items failed.</summary>
    public static void AssertFailures(string status, Answer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status} {answer.Body}");
        var json = AssertData(answer, "images");
        Assert.Equal(status, json["status"]!.GetValue<string>());
        Assert.Equal("data message op_time_us status", MembersOf(json));
        Assert.False(string.IsNullOrWhiteSpace(json["message"]!.GetValue<string>()));
    }

    public static void AssertError(HttpStatusCode status, Answer answer, int? number = null)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        Assert.Equal("application/json", answer.ContentType);
        var json = answer.Json;
        Assert.Equal("errors message op_time_us status", MembersOf(json));
        Assert.Equal("error", json["status"]!.GetValue<string>());
        Assert.False(string.IsNullOrWhiteSpace(json["message"]!.GetValue<string>()));
        Assert.DoesNotMatch(@"(?<!\.)\.\.\z", json["message"]!.GetValue<string>());
        var error = Assert.Single(json["errors"]!.AsArray())!.AsObject();
        Assert.Equal(number is null ? "message status" : "error message status", MembersOf(error));
        Assert.Equal((int)status, error["status"]!.GetValue<int>());
        Assert.Equal(number, error["error"]?.GetValue<int>());
        Assert.Equal(json["message"]!.GetValue<string>(), error["message"]!.GetValue<string>());
        Assert.True(json["op_time_us"]!.GetValue<long>() >= 0);
    }

    public static string MembersOf(JsonObject json) =>
        string.Join(' ', json.Select(member => member.Key).Order(StringComparer.Ordinal));

    private static JsonObject AssertData(Answer answer, string member)
    {
        Assert.Equal("application/json", answer.ContentType);
        var json = answer.Json;
        Assert.True(json["op_time_us"]!.GetValue<long>() >= 0);
        // More than one member inside `data` breaks a client that exists.
        Assert.Equal(member, Assert.Single(json["data"]!.AsObject()).Key);
        Assert.IsType<JsonArray>(json["data"]![member]);
        return json;
    }
}
