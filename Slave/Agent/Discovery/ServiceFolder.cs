using System.Text.Json;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery;

/// <summary>A file of the services folder, with the names that such files had in 2015.</summary>
/// <param name="Id">1 to 30 characters.</param>
/// <param name="Params">Flat.</param>
/// <param name="Groups">The meshes that it is offered in; <paramref name="Meshes"/> is the same.</param>
/// <param name="Meshes">The meshes that it is offered in; none: all of the node's.</param>
/// <param name="Disabled">True: it is not offered.</param>
public sealed record ServiceFile(
    string Id, IReadOnlyDictionary<string, string>? Params = null, IReadOnlyList<string>? Groups = null,
    IReadOnlyList<string>? Meshes = null, bool Disabled = false);

/// <summary>Offers the services that the files of a folder describe.</summary>
/// <param name="path">The folder; it need not be there.</param>
/// <param name="registry">Gets the services.</param>
/// <param name="log">Told of files that cannot be used, once for each change.</param>
/// <param name="clock">Lets an editor finish.</param>
public sealed class ServiceFolder(string path, ServiceRegistry registry, Action<string> log, TimeProvider clock)
{
    private readonly DescriptionFolder<ServiceFile> _folder = new(path, AgentJson.Default.ServiceFile, log, clock);

    /// <summary>Offers what the files say, and what they say after every change, until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) => _folder.RunAsync(_ =>
    {
        Load();
        return Task.CompletedTask;
    }, cancellation);

    private void Load()
    {
        var services = new Dictionary<string, Service>();
        _folder.Read((_, file) =>
        {
            Check(file);
            if (!file.Disabled && !services.TryAdd(
                file.Id, new Service(file.Id, file.Params ?? new Dictionary<string, string>(), file.Meshes ?? file.Groups)))
            {
                throw new JsonException($"'{file.Id}' is described by another file as well, which counts");
            }
        });
        registry.SetFiles([.. services.Values]);
    }

    /// <exception cref="JsonException">It is no description of a service; the message says why.</exception>
    private static void Check(ServiceFile file)
    {
        if (!ServiceNames.IsName(file.Id))
        {
            throw new JsonException(
                $"'{file.Id}' is no name of a service: 1 to 30 letters, digits, '-' and '_', and 'user:service' for a user's own");
        }
        if (file.Params?.FirstOrDefault(p => p.Value is null).Key is { } name)
        {
            throw new JsonException($"the parameter '{name}' has no value");
        }
    }
}
