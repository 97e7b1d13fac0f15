namespace Bootstrap.Netboot.Tftp;

/// <summary>
/// When an unanswered packet is sent again: four mean deviations beyond the usual round trip (Jacobson; RFC 6298 §2), doubled with
/// every try. Pure arithmetic, no clock.
/// </summary>
/// <param name="RoundTrip">Smoothed round trip; null before the first measurement.</param>
/// <param name="Deviation">Smoothed mean deviation of it.</param>
public readonly record struct RetryTimer(TimeSpan? RoundTrip, TimeSpan Deviation)
{
    /// <summary>
    /// Sends of one packet before the client is given up: 0.5 + 1 + 2 + 4 + 6 + 6 seconds at the least; a Pi waits up to 30 s for a file.
    /// </summary>
    public const int MaxSends = 6;

    /// <summary>
    /// Sends of the first reply to an address that has acknowledged nothing yet: anybody can put another's address on a request, and that
    /// one would get
    /// all of them.
    /// </summary>
    public const int MaxUnprovenSends = 3;

    // A resend that was not needed can hang start4.elf (raspberrypi/firmware#1631): never hurry.
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(500);
    // Longer than the 5 s of silence that atftp and tftp-hpa wait for before they speak again: resends that came more often would keep a
    // client whose acknowledgement was lost from ever repeating it.
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);

    /// <summary>Takes in a measured round trip; of resent packets none is measured (Karn).</summary>
    public RetryTimer With(TimeSpan measured) => RoundTrip is { } usual
        ? new RetryTimer(usual * 0.875 + measured * 0.125, Deviation * 0.75 + (usual - measured).Duration() * 0.25)
        : new RetryTimer(measured, measured / 2);

    /// <summary>How long to wait for an answer.</summary>
    /// <param name="sends">How often the packet was sent, 1 and up.</param>
    /// <param name="asked">The client's own time-out, which stands as it is (RFC 2349).</param>
    public TimeSpan Wait(int sends, TimeSpan? asked)
    {
        if (asked is { } fixedTime)
        {
            return fixedTime;
        }
        TimeSpan wait = RoundTrip is { } usual ? usual + 4 * Deviation : s_first;
        wait = (wait < s_least ? s_least : wait) * (1 << Math.Min(sends - 1, 8));
        return wait > s_most ? s_most : wait;
    }
}
