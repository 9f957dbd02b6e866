using ImagesFunctions.Fuzz;
using SharpFuzz;

return args switch
{
    ["targets"] => List(),
    ["instrument", var folder] => Instrument(folder),
    ["fuzz", var name] when Target.Find(name) is { } target => Serve(target),
    ["replay", var name, .. var files] when Target.Find(name) is { } target => Replay(target, files),
    _ => Usage(),
};

static int List()
{
    foreach (var target in Target.All)
    {
        Console.WriteLine(target.Name);
    }

    return 0;
}

static int Instrument(string folder)
{
    foreach (var (file, types) in Instrumented.Assemblies)
    {
        var count = Fuzzer.Instrument(Path.Combine(folder, file), types, Options.Value).Count();
        Console.WriteLine($"{file}: {count} types");
        if (count == 0)
        {
            return 1;
        }
    }

    return 0;
}

// The code under test runs in a process of its own: what no handler catches, such as an overflow of the stack, is a crash as well.
static int Serve(Target target)
{
    Fuzzer.OutOfProcess.Run(stream => target.Check(stream));
    return 0;
}

static int Replay(Target target, string[] files)
{
    var broken = 0;
    foreach (var file in files)
    {
        try
        {
            target.Check(File.ReadAllBytes(file));
            Console.WriteLine($"{file}: holds");
        }
        // Whatever it is, it is what afl-fuzz counts as a crash.
        catch (Exception error)
        {
            broken++;
            Console.WriteLine($"{file}: {error}");
        }
    }

    return broken == 0 ? 0 : 1;
}

static int Usage()
{
    Console.Error.WriteLine("targets | instrument <folder> | fuzz <target> | replay <target> <file>…");
    return 2;
}
