using ImagesFunctions.Local;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ImagesFunctions.Tests.Architecture;

/// <summary>One source file of the repository, parsed.</summary>
/// <param name="Path">Relative to the repository, with slashes.</param>
/// <param name="Tree">Its syntax.</param>
public sealed record SourceFile(string Path, SyntaxTree Tree)
{
    /// <summary>How many lines it has.</summary>
    public int Lines
    {
        get
        {
            var text = Tree.GetText();
            return text.Lines[^1].Span.IsEmpty ? text.Lines.Count - 1 : text.Lines.Count;
        }
    }

    /// <summary>Every function with a body: its name, preceded by its type, and how many lines it has from its signature on.</summary>
    public IEnumerable<(string Name, int Lines)> Functions =>
        from node in Tree.GetRoot().DescendantNodes()
        where
            node
                is BaseMethodDeclarationSyntax
                    or LocalFunctionStatementSyntax
                    or AccessorDeclarationSyntax
                    or PropertyDeclarationSyntax { ExpressionBody: not null }
        let span = node.GetLocation().GetLineSpan()
        select (NameOf(node), span.EndLinePosition.Line - span.StartLinePosition.Line + 1);

    private static string NameOf(SyntaxNode node)
    {
        var own = node switch
        {
            MethodDeclarationSyntax method => method.Identifier.Text,
            ConstructorDeclarationSyntax => "new",
            LocalFunctionStatementSyntax local => local.Identifier.Text,
            PropertyDeclarationSyntax property => property.Identifier.Text,
            AccessorDeclarationSyntax { Parent.Parent: PropertyDeclarationSyntax property } =>
                $"{property.Identifier.Text}.{((AccessorDeclarationSyntax)node).Keyword.Text}",
            _ => node.Kind().ToString(),
        };
        var type = node.FirstAncestorOrSelf<BaseTypeDeclarationSyntax>()?.Identifier.Text;
        return $"{type}.{own}";
    }
}

/// <summary>The C# sources of the repository as they are on disk.</summary>
public static class SourceTree
{
    private static readonly CSharpParseOptions s_options = new(
        LanguageVersion.Preview,
        // So that references in comments count as well.
        DocumentationMode.Diagnose
    );

    /// <summary>All sources under <c>functions/</c> and <c>tests/</c>, without what a build writes.</summary>
    public static IReadOnlyList<SourceFile> Files { get; } =
    [
        .. ((string[])["functions", "tests"])
            .SelectMany(folder => Directory.EnumerateFiles(InRepository(folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Places.Root, file).Replace('\\', '/'))
            .Where(path => !path.Split('/').Intersect(["bin", "obj"], StringComparer.Ordinal).Any())
            .Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(
                path,
                CSharpSyntaxTree.ParseText(File.ReadAllText(InRepository(path)), s_options, path)
            )),
    ];

    /// <summary>A path of the repository.</summary>
    public static string InRepository(string path) => Path.Combine(Places.Root, path);

    /// <summary>The sources of the libraries, compiled together as far as names are concerned.</summary>
    public static CSharpCompilation Libraries()
    {
        // What a project's ImplicitUsings add.
        const string usings = """
            global using System;
            global using System.Collections.Generic;
            global using System.IO;
            global using System.Linq;
            global using System.Net.Http;
            global using System.Threading;
            global using System.Threading.Tasks;
            """;
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("ImagesFunctions", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        return CSharpCompilation.Create(
            "Libraries",
            [
                .. Files.Where(f => Folders.Of(f.Path) is not null).Select(f => f.Tree),
                CSharpSyntaxTree.ParseText(usings, s_options),
            ],
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)
        );
    }
}
