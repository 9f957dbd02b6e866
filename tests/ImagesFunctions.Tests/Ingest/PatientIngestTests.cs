using Azure;
using Azure.Identity;
using ImagesFunctions.Ingest;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Ingest;

/// <summary>The Functions host tries a blob five times without a pause; these pauses lie inside each of its tries.</summary>
public sealed class PatientIngestTests
{
    private const int TriesOfTheHost = 5;

    private readonly SkippingTime _time = new();
    private int _tries;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<Exception> WhatMayPass =>
        [
            new StorageUnavailableException("busy"),
            new RequestFailedException("no answer"),
            new RequestFailedException(403, "the role has not arrived yet"),
            new RequestFailedException(429, "too many"),
            new RequestFailedException(503, "busy"),
            new AuthenticationFailedException("the identity service is away"),
            new HttpRequestException("connection refused"),
            new TaskCanceledException("network timeout"),
        ];

    public static TheoryData<Exception> WhatDoesNot =>
        [
            new InvalidOperationException("a bug"),
            new RequestFailedException(400, "a bug, too"),
            new RequestFailedException(404, "no container"),
            new RequestFailedException(409, "leased"),
        ];

    [Theory]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9.9)]
    public async Task A_blob_outlasts_an_outage_of_five_minutes_and_is_taken_in_soon_after(double minutes)
    {
        var end = _time.GetUtcNow() + TimeSpan.FromMinutes(minutes);

        await HostAsync(Patient((_, _) => _time.GetUtcNow() < end ? throw Busy() : Task.CompletedTask));

        Assert.InRange(_time.GetUtcNow() - end, TimeSpan.Zero, PatientIngest.MaxPause);
    }

    [Fact]
    public async Task A_blob_that_never_succeeds_is_given_up_after_ten_minutes_of_tries()
    {
        var start = _time.GetUtcNow();

        await Assert.ThrowsAsync<RequestFailedException>(() => HostAsync(Patient((_, _) => throw Busy())));

        Assert.Equal(TriesOfTheHost * PatientIngest.DefaultWait, _time.GetUtcNow() - start);
        Assert.Equal(TimeSpan.FromMinutes(10), _time.GetUtcNow() - start);
        // Gentle with storage that is down: not one try a second.
        Assert.InRange(_tries, TriesOfTheHost * 8, TriesOfTheHost * 20);
    }

    [Fact]
    public async Task Pauses_double_up_to_half_a_minute_and_the_last_ends_with_the_wait()
    {
        var patient = Patient((_, _) => throw Busy());

        await Assert.ThrowsAsync<RequestFailedException>(() => patient.LandedAsync("a", Stop));

        Assert.All(
            _time.Waits.SkipLast(1).Index(),
            wait =>
            {
                var longest = Math.Min(30, Math.Pow(2, wait.Index));
                Assert.InRange(wait.Item.TotalSeconds, longest / 2, longest);
            }
        );
        Assert.Equal(PatientIngest.DefaultWait, TimeSpan.FromTicks(_time.Waits.Sum(wait => wait.Ticks)));
    }

    [Theory]
    [MemberData(nameof(WhatMayPass))]
    public async Task What_may_pass_is_waited_for(Exception error)
    {
        await Patient((_, _) => _tries < 3 ? throw error : Task.CompletedTask).LandedAsync("a", Stop);

        Assert.Equal(3, _tries);
        Assert.Equal(2, _time.Waits.Count);
    }

    [Theory]
    [MemberData(nameof(WhatDoesNot))]
    public async Task A_fault_of_our_own_is_handed_on_at_once(Exception error)
    {
        var thrown = await Record.ExceptionAsync(() => Patient((_, _) => throw error).LandedAsync("a", Stop));

        Assert.Same(error, thrown);
        Assert.Equal(1, _tries);
        Assert.Empty(_time.Waits);
    }

    [Fact]
    public async Task A_shutdown_ends_a_pause_at_once()
    {
        using var shutdown = new CancellationTokenSource();
        var stands = new FakeTimeProvider();
        var patient = new PatientIngest((_, _) => throw Busy(), PatientIngest.DefaultWait, stands);
        var landing = patient.LandedAsync("a", shutdown.Token);
        Assert.False(landing.IsCompleted);

        await shutdown.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => landing.WaitAsync(Stop));
        Assert.Equal(stands.Start, stands.GetUtcNow());
    }

    [Fact]
    public async Task A_shutdown_while_a_blob_is_taken_in_is_no_failure_of_storage()
    {
        using var shutdown = new CancellationTokenSource();
        var patient = Patient(
            async (_, stop) =>
            {
                await shutdown.CancelAsync();
                stop.ThrowIfCancellationRequested();
            }
        );

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => patient.LandedAsync("a", shutdown.Token));

        Assert.Equal(1, _tries);
        Assert.Empty(_time.Waits);
    }

    private static RequestFailedException Busy() => new(503, "busy");

    private PatientIngest Patient(Func<string, CancellationToken, Task> landed) =>
        new(
            (path, stop) =>
            {
                _tries++;
                return landed(path, stop);
            },
            PatientIngest.DefaultWait,
            _time
        );

    /// <summary>What the host does with a blob; the last failure means poison.</summary>
    private static async Task HostAsync(PatientIngest ingest)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ingest.LandedAsync("alice/app/blobs/sha256/aa", Stop);
                return;
            }
            catch (RequestFailedException) when (attempt < TriesOfTheHost) { }
        }
    }
}
