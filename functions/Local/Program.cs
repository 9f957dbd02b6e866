using System.Runtime.InteropServices;
using ImagesFunctions.Local;

// The first signal asks for an orderly end, Azurite's included; the second ends at once (the next start adopts Azurite).
using var stop = new CancellationTokenSource();
var signals = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT }
    .Select(signal =>
        PosixSignalRegistration.Create(
            signal,
            context =>
            {
                context.Cancel = true;
                if (stop.IsCancellationRequested)
                {
                    Environment.Exit(130);
                }

                stop.Cancel();
            }
        )
    )
    .ToList();
var exitCode = await Commands.RunAsync(args, Console.Out, Console.Error, stop.Token);
signals.ForEach(signal => signal.Dispose());
return exitCode;
