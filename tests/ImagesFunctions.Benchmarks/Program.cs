using System.Runtime.InteropServices;
using ImagesFunctions.Benchmarks;

// `kestrel <address> [<file>]` is a peer that the measurements start; it begins with as little as it can.
if (args is ["kestrel", .. var rest])
{
    return await BareKestrel.RunAsync(rest[0], rest.ElementAtOrDefault(1));
}

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
return await Measurements.RunAsync(args, stop.Token);

void End(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
