using Bootstrap.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Server.Tests;

/// <summary>A service in the background that fails ends the appliance, and says why.</summary>
public sealed class FailureTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_that_fails_is_named_with_its_reason()
    {
        await using WebApplication app = Build(new FailingService(wait: true));
        await ServiceFailure.StartAsync(app, s_end);
        Assert.Null(ServiceFailure.Find(app));
        app.Services.GetServices<IHostedService>().OfType<FailingService>().Single().Fail();
        await app.WaitForShutdownAsync(s_end);
        Assert.Equal("FailingService failed: the socket has gone", ServiceFailure.Find(app));
    }

    [Fact]
    public async Task A_service_that_fails_before_all_have_started_is_named_with_its_reason()
    {
        var failing = new FailingService(wait: false);
        await using WebApplication app = Build(failing, new LateService(failing));
        IOException e = await Assert.ThrowsAsync<IOException>(() => ServiceFailure.StartAsync(app, s_end));
        Assert.Equal("FailingService failed: the socket has gone", e.Message);
    }

    [Fact]
    public async Task A_service_that_is_asked_to_stop_has_not_failed()
    {
        await using WebApplication app = Build(new FailingService(wait: true));
        await ServiceFailure.StartAsync(app, s_end);
        await app.StopAsync(s_end);
        Assert.Null(ServiceFailure.Find(app));
    }

    private static WebApplication Build(params IHostedService[] services)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        foreach (IHostedService service in services)
        {
            builder.Services.AddSingleton(service);
        }
        return builder.Build();
    }

    /// <summary>Starts once another service has failed, which ends the whole.</summary>
    private sealed class LateService(FailingService other) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await other.ExecuteTask!.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class FailingService(bool wait) : BackgroundService
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Fail() => _asked.SetResult();

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            if (wait)
            {
                await _asked.Task.WaitAsync(stoppingToken);
            }
            throw new IOException("the socket has gone");
        }
    }
}
