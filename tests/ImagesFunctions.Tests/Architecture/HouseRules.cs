using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ImagesFunctions.Tests.Architecture;

/// <summary>What holds for all sources, without an exception.</summary>
public sealed class HouseRules
{
    private const int MaxFile = 300;
    private const int MaxFunction = 50;

    private static readonly Lazy<IReadOnlyList<(string Path, ISymbol Symbol)>> s_names = new(Names);

    [Fact]
    public void A_folder_knows_only_those_below_it() =>
        Holds(
            from name in s_names.Value
            from declared in name.Symbol.OriginalDefinition.Locations
            where declared.IsInSource
            let folder = Folders.Of(name.Path)
            let other = Folders.Of(declared.SourceTree!.FilePath)
            where other is not null && !Folders.MayKnow(folder, other)
            select $"{name.Path} -> {other}"
        );

    [Fact]
    public void Types_of_the_Azure_SDK_are_named_only_where_storage_is_spoken_to() =>
        Holds(
            from name in s_names.Value
            where !Folders.OfAzure.Contains(Folders.Of(name.Path)!)
            where name.Symbol.ContainingAssembly?.Name.StartsWith("Azure.", StringComparison.Ordinal) == true
            select name.Path
        );

    [Fact]
    public void A_namespace_is_called_like_its_folder() =>
        Holds(
            from file in SourceTree.Files
            let folder = Folders.Of(file.Path)
            where folder is not null
            from space in file.Tree.GetRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
            where space.Name.ToString() != Folders.Namespace(folder)
            select file.Path
        );

    [Fact]
    public void A_file_has_at_most_300_lines() =>
        Holds(from file in SourceTree.Files where file.Lines > MaxFile select file.Path);

    [Fact]
    public void A_function_has_at_most_50_lines() =>
        Holds(
            from file in SourceTree.Files
            from function in file.Functions
            where function.Lines > MaxFunction
            select $"{file.Path}: {function.Name}"
        );

    /// <summary>The generator writes its classes in another order each time, and a release has to be the same bytes.</summary>
    [Fact]
    public void One_class_at_most_has_generated_methods_that_log()
    {
        string[] files =
        [
            .. from file in SourceTree.Files
            where file.Path.StartsWith("functions/ImagesFunctions/", StringComparison.Ordinal)
            where
                file
                    .Tree.GetRoot()
                    .DescendantNodes()
                    .OfType<AttributeSyntax>()
                    .Any(a => a.Name.ToString() == "LoggerMessage")
            select file.Path,
        ];
        Assert.Single(files);
    }

    private static void Holds(IEnumerable<string> broken) =>
        Assert.Equal("", string.Join('\n', broken.Distinct(StringComparer.Ordinal)));

    // The types, and the types of the members, that each source of the libraries names.
    private static List<(string Path, ISymbol Symbol)> Names()
    {
        var compilation = SourceTree.Libraries();
        var names = new HashSet<(string, ISymbol)>();
        foreach (var tree in compilation.SyntaxTrees.Where(t => t.FilePath.Length > 0))
        {
            var model = compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes(descendIntoTrivia: true).OfType<SimpleNameSyntax>())
            {
                var symbol = model.GetSymbolInfo(name).Symbol;
                if ((symbol as INamedTypeSymbol ?? symbol?.ContainingType) is { } type)
                {
                    names.Add((tree.FilePath, type.OriginalDefinition));
                }
            }
        }

        // Else every rule about names would hold for nothing.
        Assert.Contains(names, n => n.Item2.ContainingAssembly.Name == "Azure.Data.Tables");
        Assert.Contains(names, n => n.Item2.ContainingAssembly.Name == "Microsoft.AspNetCore.Http.Abstractions");
        return [.. names];
    }
}
