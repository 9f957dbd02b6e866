using System.Text.Json;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The OpenAPI document in itself.</summary>
public sealed class OpenApiTests
{
    /// <summary>Also shows that the tests know every keyword that the document uses.</summary>
    [Fact]
    public void Every_example_of_the_document_is_valid()
    {
        var schemas = new JsonSchema(OpenApi.Served.Document);
        var count = 0;
        Walk(OpenApi.Served.Document);
        Assert.InRange(count, 40, int.MaxValue);

        void Walk(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                element.EnumerateArray().ToList().ForEach(Walk);
            }

            if (element.ValueKind != JsonValueKind.Object)
            {
                return;
            }

            if (element.TryGetProperty("schema", out var schema))
            {
                var examples = element.TryGetProperty("examples", out var named)
                    ? named.EnumerateObject().Select(one => one.Value.GetProperty("value")).ToList()
                    : [];
                examples.AddRange(element.TryGetProperty("example", out var example) ? [example] : []);
                foreach (var value in examples)
                {
                    Assert.Empty(schemas.Violations(schema, value));
                    count++;
                }
            }

            element.EnumerateObject().ToList().ForEach(member => Walk(member.Value));
        }
    }

    [Fact]
    public void Every_schema_says_exactly_which_members_there_are()
    {
        foreach (
            var schema in OpenApi
                .Served.Document.GetProperty("components")
                .GetProperty("schemas")
                .EnumerateObject()
                .Where(schema => schema.Value.TryGetProperty("properties", out _))
        )
        {
            Assert.False(schema.Value.GetProperty("additionalProperties").GetBoolean(), schema.Name);
        }
    }
}
