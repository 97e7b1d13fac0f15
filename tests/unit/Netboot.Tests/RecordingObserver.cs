using System.Threading.Channels;

namespace Bootstrap.Netboot.Tests;

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingObserver : IBootObserver
{
    private readonly Channel<DhcpSighting> _asked = Channel.CreateUnbounded<DhcpSighting>();
    private readonly Channel<TftpSighting> _fetched = Channel.CreateUnbounded<TftpSighting>();

    public void Asked(DhcpSighting sighting) => _asked.Writer.TryWrite(sighting);

    public void Fetched(TftpSighting sighting) => _fetched.Writer.TryWrite(sighting);

    public ValueTask<TftpSighting> NextFetchedAsync() => _fetched.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
