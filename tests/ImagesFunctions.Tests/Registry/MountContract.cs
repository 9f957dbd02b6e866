using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What a mount of a blob from another repository promises.</summary>
public sealed class MountContract(KestrelFixture fixture) : AgainstUploads(fixture)
{
    [Fact]
    public async Task A_blob_is_mounted_from_a_repository_that_the_account_may_read_or_from_any_of_its_own()
    {
        var client = await ClientAsync();
        var official = Drop.Fresh("base");
        var bytes = Some(5 * MiB);
        var digest = await client.PushBlobAsync(Repository, bytes);
        var other = Some(10);
        var officials = await (await RegistryClient.ForAsync(Host, "official")).PushBlobAsync(official, other);

        foreach (
            var (to, query, wanted) in new[]
            {
                ("named", $"mount={digest}&from={Repository}", digest),
                ("unnamed", $"mount={digest}", digest),
                ("official", $"mount={officials}&from={official}", officials),
                ("same", $"mount={digest}&from={Account}/same", digest),
            }
        )
        {
            if (to == "same")
            {
                await client.PushBlobAsync($"{Account}/same", bytes);
            }

            var reply = await client.SendAsync("POST", $"/v2/{Account}/{to}/blobs/uploads/?{query}");

            Assert.Equal(HttpStatusCode.Created, reply.Status);
            Assert.Equal($"/v2/{Account}/{to}/blobs/{wanted}", reply["Location"]);
            var pulled = await client.GetAsync($"/v2/{Account}/{to}/blobs/{wanted}");
            Assert.Equal(wanted == digest ? bytes : other, pulled.Bytes);
        }
    }

    [Fact]
    public async Task A_mount_of_what_is_not_there_is_a_fresh_session_also_from_a_foreign_or_malformed_repository()
    {
        var client = await ClientAsync();
        var bob = $"{Drop.Fresh("bob")}/app";
        var theirs = await (await RegistryClient.ForAsync(Host, bob.Split('/')[0])).PushBlobAsync(bob, Some(10));
        foreach (
            var query in new[]
            {
                $"mount={theirs}&from={bob}",
                $"mount={theirs}",
                $"mount={theirs}&from={Repository}",
                $"mount={theirs}&from=No%20Name",
                "mount=sha256:x&from=official/x",
                "mount=md5:x",
            }
        )
        {
            var reply = await client.SendAsync("POST", $"/v2/{Repository}/blobs/uploads/?{query}");

            Assert.Equal(HttpStatusCode.Accepted, reply.Status);
            await IsAtAsync(client, reply["Location"]!, "0-0");
        }
    }
}
