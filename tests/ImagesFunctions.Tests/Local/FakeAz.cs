using System.Globalization;
using Azure.Core;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Local;

/// <summary>An <c>az</c> of our own, to be put first on PATH: it is signed in to the emulator, or to nothing.</summary>
internal sealed class FakeAz : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FakeAz(bool isSignedIn = true)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The program on PATH is a shell script");
        var token = new SecureAzurite.Identity().GetToken(new TokenRequestContext(), CancellationToken.None);
        var expires = token.ExpiresOn.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var answer = isSignedIn
            ? $$"""echo '{"accessToken": "{{token.Token}}", "expires_on": {{expires}}, "tokenType": "Bearer"}'"""
            : "echo \"Please run 'az login' to setup account.\" >&2; exit 1";
        File.WriteAllText(_folder.File("az"), $"#!/bin/sh\necho \"$@\" >> '{_folder.File("calls")}'\n{answer}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder.File("az"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    /// <summary>The search path that finds it first.</summary>
    public string Path => $"{_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}";

    /// <summary>What it was asked for, a line each time.</summary>
    public string[] Calls => File.Exists(_folder.File("calls")) ? File.ReadAllLines(_folder.File("calls")) : [];

    public void Dispose() => _folder.Dispose();
}
