using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.WorkerStandIns;

/// <summary>One function of an app, as its attributes describe it.</summary>
public sealed record TriggeredFunction(
    string Name,
    MethodInfo Method,
    HttpTriggerAttribute? Http,
    BlobTriggerAttribute? Blob,
    TimerTriggerAttribute? Timer
)
{
    /// <summary>The functions of <paramref name="app"/>, in the order of their names.</summary>
    public static IReadOnlyList<TriggeredFunction> In(Assembly app) =>
        [
            .. app.GetExportedTypes()
                .SelectMany(type => type.GetMethods())
                .Select(method => (Method: method, method.GetCustomAttribute<FunctionAttribute>()?.Name))
                .Where(function => function.Name is not null)
                .Select(function => new TriggeredFunction(
                    function.Name!,
                    function.Method,
                    Trigger<HttpTriggerAttribute>(function.Method),
                    Trigger<BlobTriggerAttribute>(function.Method),
                    Trigger<TimerTriggerAttribute>(function.Method)
                ))
                .OrderBy(function => function.Name, StringComparer.Ordinal),
        ];

    /// <summary>Makes the function's class from <paramref name="services"/> and calls it; what it returned, awaited.</summary>
    internal async Task<object?> CallAsync(
        IServiceProvider services,
        Func<ParameterInfo, object?> bind,
        CancellationToken cancellationToken
    )
    {
        var arguments = Method
            .GetParameters()
            .Select(p =>
                p.ParameterType == typeof(CancellationToken)
                    ? cancellationToken
                    : bind(p) ?? throw new InvalidOperationException($"{Name}: nothing binds to {p.Name}.")
            )
            .ToArray();
        var instance = ActivatorUtilities.CreateInstance(services, Method.DeclaringType!);
        var task = (Task)Method.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
        await task;
        return task.GetType().GetProperty("Result")?.GetValue(task);
    }

    private static T? Trigger<T>(MethodInfo method)
        where T : Attribute =>
        method.GetParameters().Select(p => p.GetCustomAttribute<T>()).SingleOrDefault(t => t is not null);
}
