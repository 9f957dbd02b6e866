using System.Runtime.InteropServices;
using ImagesFunctions.Local;

// The first signal asks for an orderly end, Azurite's included; a later one ends at once (the next start adopts Azurite).
// One that follows directly is the same wish: who ends a process group, and `dotnet run` in it, sends it twice.
var asked = 0L;
using var stop = new CancellationTokenSource();
var signals = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT }
    .Select(signal =>
        PosixSignalRegistration.Create(
            signal,
            context =>
            {
                context.Cancel = true;
                if (Interlocked.CompareExchange(ref asked, TimeProvider.System.GetTimestamp(), 0) == 0)
                {
                    stop.Cancel();
                }
                else if (TimeProvider.System.GetElapsedTime(asked) > TimeSpan.FromSeconds(1))
                {
                    Environment.Exit(130);
                }
            }
        )
    )
    .ToList();
var exitCode = await Commands.RunAsync(args, Console.Out, Console.Error, stop.Token);
signals.ForEach(signal => signal.Dispose());
return exitCode;
