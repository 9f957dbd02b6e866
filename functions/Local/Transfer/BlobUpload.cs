using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>Bytes to send: their digest, how many there are, and a stream of them from one of them on.</summary>
/// <param name="Digest">Their digest.</param>
/// <param name="Length">How many there are.</param>
/// <param name="OpenAsync">Opens them from one of them on.</param>
internal sealed record BlobSource(Digest Digest, long Length, Func<long, CancellationToken, Task<Stream>> OpenAsync);

/// <summary>
/// Sends a blob in chunks (OCI distribution spec, "Pushing a blob in chunks"). A session that an earlier push has left is asked how far it came.
/// What was sent is hashed, and the registry hashes what it has: bytes that are not those of the digest are not pushed.
/// </summary>
/// <param name="client">The registry.</param>
/// <param name="to">The repository there.</param>
/// <param name="chunk">The length of a chunk in bytes: what a kill may lose of each blob.</param>
/// <param name="note">Hears of waits.</param>
internal sealed class BlobUpload(RemoteRegistry client, RegistryAddress to, int chunk, Action<string> note)
{
    /// <summary>Sends a blob, unless it is there.</summary>
    /// <exception cref="LocalException">It is refused, or the bytes are not those of the digest.</exception>
    public async Task RunAsync(BlobSource blob, TransferItem item, CancellationToken cancellationToken)
    {
        using (var there = await client.SendAsync(HttpMethod.Head, to.Blob(blob.Digest), null, cancellationToken))
        {
            if (there.IsSuccessStatusCode)
            {
                item.From = item.At = item.Length;
                return;
            }
        }

        using var state = UploadState.Open(to.Registry, to.Repository, blob.Digest.ToString());
        var session = await ResumeAsync(state.Session, cancellationToken);
        if (session is null)
        {
            using var begun = await client.SendAsync(
                HttpMethod.Post,
                $"/v2/{to.Repository}/blobs/uploads/",
                Empty,
                cancellationToken
            );
            await client.DemandAsync(begun, $"a push to {to.Repository}", cancellationToken);
            session = new Session(LocationOf(begun), 0);
        }

        item.From = item.At = session.Offset;
        state.Session = session.Address;
        await SendAsync(blob, session, state, item, cancellationToken);
        state.Session = null;
    }

    private async Task SendAsync(
        BlobSource blob,
        Session session,
        UploadState state,
        TransferItem item,
        CancellationToken cancellationToken
    )
    {
        // Of a session that goes on only the registry has seen all bytes.
        using var hash = session.Offset == 0 ? IncrementalHash.CreateHash(Digest.NameOf(blob.Digest.Algorithm)) : null;
        var hashed = 0L;
        var buffer = new byte[(int)Math.Min(chunk, Math.Max(1, blob.Length - session.Offset))];
        var wait = new PatientWait(to.Registry, note);
        Stream? source = null;
        try
        {
            for (var (at, read) = (session.Offset, -1L); at < blob.Length; )
            {
                if (read != at)
                {
                    source = await ReopenAsync(source, blob, at, cancellationToken);
                }

                var length = (int)Math.Min(buffer.Length, blob.Length - at);
                await source!.ReadExactlyAsync(buffer.AsMemory(0, length), cancellationToken);
                read = at + length;
                if (hash is not null && read > hashed)
                {
                    hash.AppendData(buffer, (int)(hashed - at), (int)(read - hashed));
                    hashed = read;
                }

                (session, at) = await SendChunkAsync(session, at, buffer.AsMemory(0, length), wait, cancellationToken);
                state.Session = session.Address;
                item.At = at;
            }
        }
        finally
        {
            if (source is not null)
            {
                await source.DisposeAsync();
            }
        }

        DemandSame(blob, hash, state);
        await EndAsync(blob, session, state, cancellationToken);
    }

    private static void DemandSame(BlobSource blob, IncrementalHash? hash, UploadState state)
    {
        var found = hash is null ? blob.Digest : Digest.FromHash(blob.Digest.Algorithm, hash.GetHashAndReset());
        if (found != blob.Digest)
        {
            state.Session = null;
            throw new LocalException(
                $"the bytes of {blob.Digest} hash to {found}: the source is damaged, and it was not pushed"
            );
        }
    }

    private static async Task<Stream> ReopenAsync(
        Stream? source,
        BlobSource blob,
        long at,
        CancellationToken cancellationToken
    )
    {
        if (source is not null)
        {
            await source.DisposeAsync();
        }

        return await blob.OpenAsync(at, cancellationToken);
    }

    // Where the answer is lost the session says whether the chunk is there.
    private async Task<(Session Session, long At)> SendChunkAsync(
        Session session,
        long at,
        ReadOnlyMemory<byte> bytes,
        PatientWait wait,
        CancellationToken cancellationToken
    )
    {
        var (response, reason) = await client.TryAsync(
            HttpMethod.Patch,
            session.Address,
            request =>
            {
                request.Content = new ReadOnlyMemoryContent(bytes);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                request.Content.Headers.TryAddWithoutValidation(
                    "Content-Range",
                    string.Create(CultureInfo.InvariantCulture, $"{at}-{at + bytes.Length - 1}")
                );
            },
            cancellationToken
        );
        using (response)
        {
            if (response is { IsSuccessStatusCode: true })
            {
                wait.Reset();
                return (new Session(LocationOf(response), at + bytes.Length), at + bytes.Length);
            }

            if (
                response is not null
                && !PatientWait.IsBusy(response.StatusCode)
                && response.StatusCode != HttpStatusCode.RequestedRangeNotSatisfiable
            )
            {
                await client.DemandAsync(response, $"a push to {to.Repository}", cancellationToken);
            }

            await wait.OnceAsync(reason!, response?.Headers.RetryAfter, cancellationToken);
        }

        var now =
            await ResumeAsync(session.Address, cancellationToken)
            ?? throw new LocalException(
                $"{to.Registry.Authority} has ended the upload: the same command begins it again"
            );
        return (now, now.Offset);
    }

    private async Task EndAsync(
        BlobSource blob,
        Session session,
        UploadState state,
        CancellationToken cancellationToken
    )
    {
        var query = session.Address.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        using var ended = await client.SendAsync(
            HttpMethod.Put,
            $"{session.Address}{query}digest={Uri.EscapeDataString(blob.Digest.ToString())}",
            Empty,
            cancellationToken
        );
        if (ended.StatusCode == HttpStatusCode.BadRequest)
        {
            // It has other bytes: nothing of them is of use.
            state.Session = null;
        }

        await client.DemandAsync(ended, $"the blob {blob.Digest}", cancellationToken);
    }

    // How far a session came; null where there is none any more.
    private async Task<Session?> ResumeAsync(string? address, CancellationToken cancellationToken)
    {
        if (address is null)
        {
            return null;
        }

        using var response = await client.SendAsync(HttpMethod.Get, address, null, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return null;
        }

        var range = response.Headers.TryGetValues("Range", out var values) ? values.First() : "";
        var last = range.StartsWith("0-", StringComparison.Ordinal) ? range[2..] : range;
        // 0-0 is what a session without a byte says, too: no chunk is so short.
        return long.TryParse(last, CultureInfo.InvariantCulture, out var end)
            ? new Session(response.Headers.Location is null ? address : LocationOf(response), end == 0 ? 0 : end + 1)
            : null;
    }

    // A whole address: storage of others may take the chunks of a registry.
    private string LocationOf(HttpResponseMessage response) =>
        response.Headers.Location is { } location
            ? new Uri(to.Registry, location).ToString()
            : throw new LocalException($"{to.Registry.Authority} begins no upload: its answer has no Location");

    private static void Empty(HttpRequestMessage request) => request.Content = new ByteArrayContent([]);

    private sealed record Session(string Address, long Offset);
}
