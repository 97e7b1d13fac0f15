using System.Net;
using System.Net.Http.Headers;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

public sealed class FileResponseTests : IAsyncLifetime
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private TestAppliance _appliance = null!;
    private HttpClient _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _appliance = await TestAppliance.StartAsync();
        _plain = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri($"http://{_appliance.Options.Http}/") };
    }

    public async ValueTask DisposeAsync()
    {
        _plain.Dispose();
        await _appliance.DisposeAsync();
    }

    // The file holds the bytes 1, 2, 3, 4.
    [Theory]
    [InlineData("bytes=1-2", HttpStatusCode.PartialContent, "bytes 1-2/4", new byte[] { 2, 3 })]
    [InlineData("bytes=2-", HttpStatusCode.PartialContent, "bytes 2-3/4", new byte[] { 3, 4 })]
    [InlineData("bytes=0-99", HttpStatusCode.PartialContent, "bytes 0-3/4", new byte[] { 1, 2, 3, 4 })]
    [InlineData("bytes=-1", HttpStatusCode.PartialContent, "bytes 3-3/4", new byte[] { 4 })]
    [InlineData("bytes=-9", HttpStatusCode.PartialContent, "bytes 0-3/4", new byte[] { 1, 2, 3, 4 })]
    [InlineData("bytes=4-", HttpStatusCode.RequestedRangeNotSatisfiable, "bytes */4", new byte[0])]
    [InlineData("bytes=-0", HttpStatusCode.RequestedRangeNotSatisfiable, "bytes */4", new byte[0])]
    [InlineData("bytes=0-0,2-3", HttpStatusCode.OK, null, new byte[] { 1, 2, 3, 4 })]
    [InlineData("bytes=3-1", HttpStatusCode.OK, null, new byte[] { 1, 2, 3, 4 })]
    [InlineData("lines=1-2", HttpStatusCode.OK, null, new byte[] { 1, 2, 3, 4 })]
    public async Task A_range_is_what_was_asked_for_and_nonsense_is_the_whole(string range, HttpStatusCode status, string? contentRange,
        byte[] bytes)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "netinst/arm64/kernel");
        request.Headers.TryAddWithoutValidation("Range", range);
        using HttpResponseMessage response = await _plain.SendAsync(request, s_end);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(contentRange, response.Content.Headers.ContentRange?.ToString());
        Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync(s_end));
    }

    [Fact]
    public async Task A_part_of_an_older_file_is_never_joined_with_the_newer_one()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "netinst/arm64/kernel");
        request.Headers.Range = new RangeHeaderValue(2, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue("\"older\""));
        using HttpResponseMessage response = await _plain.SendAsync(request, s_end);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([1, 2, 3, 4], await response.Content.ReadAsByteArrayAsync(s_end));
    }
}
