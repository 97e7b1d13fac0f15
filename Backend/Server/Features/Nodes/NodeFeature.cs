using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>The nodes, and boards that want to become nodes.</summary>
internal static class NodeFeature
{
    public static IServiceCollection AddNodes(this IServiceCollection services) => services
        .AddSingleton(s => JoinToken.Of(s.GetRequiredService<SettingsStore>()))
        .AddSingleton<NodeDirectory>().AddSingleton<NodeKeys>().AddSingleton<NodeLog>().AddSingleton<NodeHistory>()
        .AddSingleton<NodeLocator>()
        .AddSingleton<AskBudget>().AddSingleton<Approvals>().AddSingleton<StrangerNotices>()
        .AddSingleton<UnapprovedBoards>().AddHostedService(s => s.GetRequiredService<UnapprovedBoards>())
        .AtStart(s => s.GetRequiredService<NodeKeys>().RevocationsChanged += s.GetRequiredService<NodeDirectory>().Tell);

    public static void MapNodes(this IEndpointRouteBuilder app)
    {
        RouteGroupBuilder api = app.Api();
        NodeEndpoints.Map(api);
        NodeExport.Map(api);
        UnapprovedEndpoints.Map(api);
    }

    /// <summary>On the link's port, for nodes whose keys are approved.</summary>
    public static RouteGroupBuilder NodesOnly(this IEndpointRouteBuilder app) => app.Link().RequireNode();
}
