using Bootstrap.Server.Features.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>E-mail and webhooks.</summary>
internal static class NotificationFeature
{
    public static IServiceCollection AddNotifications(this IServiceCollection services) => services
        .AddSingleton<NotificationStore>().AddSingleton<NotificationChannel>()
        .AddSingleton<NotificationSender>().AddHostedService(s => s.GetRequiredService<NotificationSender>());

    public static void MapNotifications(this IEndpointRouteBuilder app) => NotificationEndpoints.Map(app.AdministrationApi());
}
