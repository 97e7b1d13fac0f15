using System.Text;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Discovery;

/// <summary>
/// The keys that the appliance has revoked, as it told last: also over a restart of this machine, whose appliance may be away then.
/// </summary>
/// <param name="path">Where they are kept, one fingerprint a line; null: nowhere.</param>
/// <param name="log">The node's log.</param>
/// <param name="time">The appliance's time, as far as it is known; null: it never is.</param>
public sealed class Revocations(string? path, Action<string> log, Func<DateTimeOffset?>? time = null)
{
    private volatile HashSet<Digest> _keys = Load(path, log);

    /// <summary>There are others now.</summary>
    public event Action? Changed;

    /// <summary>Whether what is signed with that key proves nothing.</summary>
    public bool Contains(Digest key) => _keys.Contains(key);

    /// <summary>
    /// Whether somebody's certificate is still to be believed: its key is not revoked, and it has not ended too long ago. A key is told to
    /// be revoked only as long as its
    /// certificate could last.
    /// </summary>
    /// <param name="number">The certificate's (<see cref="Trust.NumberOf"/>).</param>
    /// <param name="ends">When the certificate ends.</param>
    public bool Stands(Digest key, Digest number, DateTimeOffset ends) => !Contains(key) && !Contains(number)
        && !(time?.Invoke() is { } now && now - ends > Trust.NodeGrace);

    /// <summary>The appliance has told all of them.</summary>
    public void Hear(RevokedKeys revoked)
    {
        _keys = [.. revoked.Keys];
        Changed?.Invoke();
        if (path is null)
        {
            return;
        }
        try
        {
            DurableFile.Replace(path, Encoding.ASCII.GetBytes(string.Concat(revoked.Keys.Select(key => $"{key}\n"))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log($"the revoked keys cannot be kept over a restart: {e.Message}");
        }
    }

    private static HashSet<Digest> Load(string? path, Action<string> log)
    {
        try
        {
            return File.Exists(path) ? [.. File.ReadLines(path).Select(line => Digest.TryParse(line, out Digest key) ? key : default)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log($"the revoked keys cannot be read: {e.Message}");
            return [];
        }
    }
}
