using MassTransit.Agents;
using MassTransit.Internals;
using MassTransit.PubTransport.Configuration;

namespace MassTransit.PubTransport;

/// <summary>Opens the store, where nobody has, before an endpoint starts on it.</summary>
internal sealed class ClientContextFactory(PubHostSettings settings) : IPipeContextFactory<ClientContext>
{
    public IPipeContextAgent<ClientContext> CreateContext(ISupervisor supervisor)
    {
        var context = supervisor.AddAsyncContext<ClientContext>();
        _ = OpenAsync(context, supervisor.Stopped);
        return context;
    }

    public IActivePipeContextAgent<ClientContext> CreateActiveContext(
        ISupervisor supervisor, PipeContextHandle<ClientContext> context, CancellationToken cancellationToken = default) =>
        supervisor.AddActiveContext(context, ShareAsync(context.Context, cancellationToken));

    private static async Task<ClientContext> ShareAsync(Task<ClientContext> context, CancellationToken cancellationToken) =>
        new((await context.OrCanceled(cancellationToken)).Client, cancellationToken);

    private async Task OpenAsync(IAsyncPipeContextAgent<ClientContext> context, CancellationToken cancellationToken)
    {
        try
        {
            var client = settings.Client;
            await client.OpenAsync(cancellationToken);
            await context.Created(new ClientContext(client, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            await context.CreateCanceled();
        }
        catch (Exception e)
        {
            await context.CreateFaulted(PubExceptions.Convert(e, $"The store of {(Uri)settings.Address} cannot be opened: "));
        }
    }
}
