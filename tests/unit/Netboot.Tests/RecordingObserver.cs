using System.Threading.Channels;

namespace Bootstrap.Netboot.Tests;

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingObserver : IBootObserver
{
    private readonly Channel<DhcpSighting> _asked = Channel.CreateUnbounded<DhcpSighting>();
    private readonly Channel<string> _malformed = Channel.CreateUnbounded<string>();
    private readonly Channel<TftpSighting> _fetched = Channel.CreateUnbounded<TftpSighting>();

    public void Asked(DhcpSighting sighting) => _asked.Writer.TryWrite(sighting);

    public void Fetched(TftpSighting sighting) => _fetched.Writer.TryWrite(sighting);

    public void Malformed(string protocol) => _malformed.Writer.TryWrite(protocol);

    public ValueTask<string> NextMalformedAsync() => _malformed.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public ValueTask<TftpSighting> NextFetchedAsync() => _fetched.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
