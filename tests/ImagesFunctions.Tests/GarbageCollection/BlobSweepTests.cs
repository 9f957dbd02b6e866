using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.Logging.Abstractions;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>What a sweep does about a blob of the container, by what it remembers of the rows.</summary>
public sealed class BlobSweepTests : IAsyncLifetime
{
    private Node _node = null!;
    private StoredBlob _stored;

    public async ValueTask InitializeAsync()
    {
        _node = new Node(await Storages.NewWithTablesAsync());
        var (path, bytes) = (new BlobPath(Web, D("layer")), "layer"u8.ToArray());
        await _node.PutAsync($"{path}", bytes);
        await _node.LandAsync([$"{path}"]);
        _stored = (await new Content(_node.Storage).StatAsync(path, Stop))!.Value;
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    [InlineData("nothing needs it", "Blobs=1, Bytes=5")]
    [InlineData("it is young", "")]
    [InlineData("it is an image", "")]
    [InlineData("it is needed", "")]
    // Other bytes than those of the row: their event is taken in, and they stay.
    [InlineData("it was overwritten", "Events=1")]
    [InlineData("it has no row", "Events=1")]
    [InlineData("it is invalid", "Events=1")]
    [InlineData("it goes", "Removals=1")]
    [InlineData("it was refused", "Blobs=1, Bytes=5")]
    [InlineData("it was refused for another reason", "")]
    [InlineData("what was there before was refused", "Events=1")]
    public async Task A_blob_goes_when_all_that_is_remembered_says_so(string @case, string expected)
    {
        var survey = SurveyOf(@case);
        Assert.Equal(expected, await SweepAsync(survey));
        // What was met says nothing more.
        Assert.Empty(survey.Blobs);
    }

    // What a sweep remembers of the blob.
    private Survey SurveyOf(string @case)
    {
        var survey = new Survey();
        var blob = Fingerprint.Of(App, D("layer"));
        var path = Fingerprint.Of($"{new BlobPath(Web, D("layer"))}");
        var seen = new SeenBlob(Fingerprint.Of(_stored.ETag), BlobState.Good, IsYoung: false);
        var after = _stored.LastModified.AddSeconds(2);
        survey.Blobs[blob] = seen;
        switch (@case)
        {
            case "it is young":
                survey.Blobs[blob] = seen with { IsYoung = true };
                break;
            case "it is an image":
                survey.Images[blob] = new SeenImage(ImageState.Hidden, "g");
                break;
            case "it is needed":
                survey.Needed.Add(blob);
                break;
            case "it was overwritten":
                survey.Blobs[blob] = seen with { ETag = Fingerprint.Of("\"before\"") };
                break;
            case "it is invalid":
                survey.Blobs[blob] = seen with { State = Invalid };
                break;
            case "it goes":
                survey.Blobs[blob] = seen with { State = BlobState.Deleting };
                break;
            case "it has no row":
                survey.Blobs.Clear();
                break;
            case "it was refused":
                survey.Blobs.Clear();
                survey.Refusals[path] = new SeenRefusal(after, WrongBytes: true);
                break;
            case "it was refused for another reason":
                survey.Blobs.Clear();
                survey.Refusals[path] = new SeenRefusal(after, WrongBytes: false);
                break;
            case "what was there before was refused":
                survey.Blobs.Clear();
                survey.Refusals[path] = new SeenRefusal(_stored.LastModified, WrongBytes: true);
                break;
        }

        return survey;
    }

    [Fact]
    public async Task A_suspicion_that_is_wrong_removes_nothing()
    {
        // The survey has missed what needs it.
        var need = new Change(Need("layer", "image").Key, Need("layer", "image").ToRow());
        var image = new Change(Image("image").Key, Image("image").ToRow());
        Assert.True((await _node.Storage.ImageRows.WriteAsync(Namespace, [need, image], Stop)).IsDone);
        var survey = new Survey();
        survey.Blobs[Fingerprint.Of(App, D("layer"))] = new SeenBlob(
            Fingerprint.Of(_stored.ETag),
            BlobState.Good,
            IsYoung: false
        );

        Assert.Equal("", await SweepAsync(survey));
    }

    // Without changing anything; two months later.
    private async Task<string> SweepAsync(Survey survey)
    {
        var age = new SweepAge(_stored.LastModified.AddDays(60), new SweepOptions());
        var counts = new SweepCounts();
        var run = new SweepRun(_node.Storage, _node.Ingest, age, counts, NullLogger.Instance, Namespace, dryRun: true);
        var garbage = new BlobGarbage(
            new GarbageCommit(_node.RowStore, dryRun: true),
            _node.Removal,
            _node.Ingest,
            age
        );
        await new BlobSweep(run, survey, garbage).SweepStoredAsync(Stop);
        return string.Join(", ", counts.Result(isDryRun: true).Counts.Select(c => $"{c.Key}={c.Value}"));
    }
}
