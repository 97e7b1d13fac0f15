using System.Diagnostics;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>Reads the node's status each second while something is measured, on a thread of its own.</summary>
internal sealed class Recorder : IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    private readonly Func<StatusReading> _read;
    private readonly bool _inKernel;
    private readonly List<Moment> _moments = [];
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;
    private readonly long _began;
    private (long At, TimeSpan Own) _last;

    /// <summary>Begins, with a reading of before.</summary>
    /// <param name="read">Reads the node's status; rates are those since the call before.</param>
    /// <param name="inKernel">What the kernel does is done for the benchmark, and is nobody else's.</param>
    public Recorder(Func<StatusReading> read, bool inKernel)
    {
        (_read, _inKernel) = (read, inKernel);
        read(); // the next one has rates
        _began = Stopwatch.GetTimestamp();
        _last = (_began, Own);
        _moments.Add(new Moment(0, read(), null, inKernel));
        _thread = new Thread(Live) { IsBackground = true, Name = "recorder" };
        _thread.Start();
    }

    /// <summary>Ends, with a reading of after.</summary>
    public IReadOnlyList<Moment> End()
    {
        _stop.Set();
        _thread.Join();
        Read();
        return _moments;
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private TimeSpan Own => _inKernel ? Environment.CpuUsage.UserTime : Environment.CpuUsage.TotalTime;

    private void Live()
    {
        while (!_stop.Wait(s_period))
        {
            Read();
        }
    }

    private void Read()
    {
        (long at, TimeSpan used) = (Stopwatch.GetTimestamp(), Own);
        TimeSpan since = Stopwatch.GetElapsedTime(_last.At, at);
        double? own = since < s_period / 2 ? null : 100 * (used - _last.Own) / since / Environment.ProcessorCount;
        _last = (at, used);
        _moments.Add(new Moment(Stopwatch.GetElapsedTime(_began, at).TotalSeconds, _read(), own, _inKernel));
    }
}
