using System.Reflection;
using System.Runtime.Loader;
using ImagesFunctions.Journal;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ImagesFunctions.Exploration.Planted;

/// <summary>
/// A copy of the commit engine with a fault, made from its sources, and a copy of this program that uses it. So a fault is a change of
/// what is there now: one that does not fit any more is an error.
/// </summary>
internal sealed class FaultyJournal : AssemblyLoadContext
{
    private const string JournalName = "ImagesFunctions.Journal";

    // The service, which uses the engine.
    private const string ServiceName = "ImagesFunctions";

    // Who refers to the engine asks for its version, too.
    private static readonly string s_shared = $"""
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        [assembly: System.Reflection.AssemblyVersion("{typeof(PartitionJournal).Assembly.GetName().Version}")]
        """;

    private readonly byte[] _journal;

    private FaultyJournal(byte[] journal)
        : base(isCollectible: true) => _journal = journal;

    /// <summary>Explores with the fault.</summary>
    /// <returns>What <see cref="Hunt.Run"/> says.</returns>
    public static string Explore(PlantedFault fault, string scenario, TimeSpan time)
    {
        var context = new FaultyJournal(Compile(fault));
        try
        {
            var program = context.LoadFromAssemblyPath(typeof(FaultyJournal).Assembly.Location);
            var run = program.GetType(typeof(Hunt).FullName!)!.GetMethod(nameof(Hunt.Run))!;
            return (string)run.Invoke(null, [scenario, time])!;
        }
        finally
        {
            context.Unload();
        }
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name switch
        {
            JournalName => LoadFromStream(new MemoryStream(_journal)),
            ServiceName => LoadFromAssemblyPath(typeof(ImagesApp).Assembly.Location),
            _ => null,
        };

    private static byte[] Compile(PlantedFault fault)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var trees = Directory
            .EnumerateFiles(Path.Combine(Clone.Root, "functions", "Journal"), "*.cs")
            .Select(file => (Name: Path.GetFileName(file), Text: File.ReadAllText(file)))
            .Select(file => file.Name == fault.File ? Planted(fault, file.Text) : file.Text)
            .Append(s_shared)
            .Select(text => CSharpSyntaxTree.ParseText(text, options));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            JournalName,
            trees,
            references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                optimizationLevel: OptimizationLevel.Release,
                nullableContextOptions: NullableContextOptions.Enable
            )
        );
        using var assembly = new MemoryStream();
        var result = compilation.Emit(assembly);
        return result.Success
            ? assembly.ToArray()
            : throw new InvalidOperationException(
                $"{fault.Name}: {string.Join('\n', result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error))}"
            );
    }

    private static string Planted(PlantedFault fault, string source)
    {
        source = source.ReplaceLineEndings("\n");
        return source.Split(fault.Right).Length == 2
            ? source.Replace(fault.Right, fault.Wrong.ReplaceLineEndings("\n"), StringComparison.Ordinal)
            : throw new InvalidOperationException($"{fault.Name}: {fault.File} does not have [{fault.Right}] once");
    }
}
