using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Support;

/// <summary>One process of the service on a storage of its own, which the tests of a class share.</summary>
public sealed class SharedNode : IAsyncLifetime
{
    private Node? _node;

    public Node Node => _node ?? throw new InvalidOperationException("The node has not been started.");

    public async ValueTask InitializeAsync() => _node = new Node(await Storages.NewWithTablesAsync());

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}
