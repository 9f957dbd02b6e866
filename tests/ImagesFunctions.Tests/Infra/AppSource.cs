using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ImagesFunctions.Tests.Infra;

/// <summary>One function of the app, as its source says.</summary>
/// <param name="Name">As the host knows it.</param>
/// <param name="Class">The class it is a method of.</param>
/// <param name="Trigger">The attribute: <c>HttpTrigger</c>, <c>BlobTrigger</c>, <c>TimerTrigger</c>.</param>
/// <param name="Arguments">The attribute's arguments in their order, without names; enum values by their last part.</param>
/// <param name="Named">The attribute's named arguments.</param>
/// <param name="Statements">How many statements the method has; one if it is an expression.</param>
public sealed record AppFunction(
    string Name,
    string Class,
    string Trigger,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Named,
    int Statements
);

/// <summary>
/// The sources of <c>functions/App</c>, parsed and not compiled: what they say to the real packages, wherever those are served.
/// </summary>
public static class AppSource
{
    /// <summary>All functions, in the order of their names.</summary>
    public static IReadOnlyList<AppFunction> Functions { get; } =
    [
        .. Parse(Directory.EnumerateFiles(Repo.Path("functions/App"), "*.cs"))
            .OrderBy(f => f.Name, StringComparer.Ordinal),
    ];

    /// <summary>The function that Event Grid calls.</summary>
    public static AppFunction Landed =>
        Assert.Single(Functions, f => f.Named.GetValueOrDefault("Source") == "EventGrid");

    private static IEnumerable<AppFunction> Parse(IEnumerable<string> files) =>
        from file in files
        from method in CSharpSyntaxTree
            .ParseText(File.ReadAllText(file))
            .GetCompilationUnitRoot()
            .DescendantNodes()
            .OfType<MethodDeclarationSyntax>()
        from function in Attributes(method.AttributeLists, "Function")
        select Function(method, function);

    private static AppFunction Function(MethodDeclarationSyntax method, AttributeSyntax function)
    {
        var trigger = Assert.Single(
            method.ParameterList.Parameters.SelectMany(p => Attributes(p.AttributeLists, "Trigger"))
        );
        var arguments = trigger.ArgumentList!.Arguments;
        return new AppFunction(
            Text(Assert.Single(function.ArgumentList!.Arguments).Expression),
            ((TypeDeclarationSyntax)method.Parent!).Identifier.Text,
            trigger.Name.ToString(),
            [.. arguments.Where(a => a.NameEquals is null).Select(a => Text(a.Expression))],
            arguments
                .Where(a => a.NameEquals is not null)
                .ToDictionary(a => a.NameEquals!.Name.ToString(), a => Text(a.Expression), StringComparer.Ordinal),
            method.Body?.Statements.Count ?? 1
        );
    }

    private static IEnumerable<AttributeSyntax> Attributes(SyntaxList<AttributeListSyntax> lists, string ending) =>
        lists
            .SelectMany(list => list.Attributes)
            .Where(a => a.Name.ToString().EndsWith(ending, StringComparison.Ordinal));

    // As much of C#'s constants as the app uses.
    private static string Text(ExpressionSyntax expression) =>
        expression switch
        {
            LiteralExpressionSyntax literal => literal.Token.ValueText,
            BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) => Text(sum.Left) + Text(sum.Right),
            InvocationExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "nameof" } } nameOf =>
                nameOf.ArgumentList.Arguments[0].ToString().Split('.')[^1],
            MemberAccessExpressionSyntax member => member.Name.ToString(),
            _ => throw new InvalidOperationException($"{expression} is no constant that these tests can read."),
        };
}
