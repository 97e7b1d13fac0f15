using System.Diagnostics;
using Bootstrap.Benchmarks.Kernels;
using Bootstrap.Board;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Measurement;

/// <summary>Samples of one benchmark.</summary>
/// <param name="Values">In the order in which they were taken, in the kind's unit.</param>
/// <param name="Spread">What they say together.</param>
/// <param name="IsSteady">The median is as well known as was asked for.</param>
/// <param name="Counters">What the processors counted during all of them; null: they tell us nothing.</param>
public sealed record Samples(IReadOnlyList<double> Values, MedianSpread Spread, bool IsSteady, BenchmarkCounters? Counters);

/// <summary>
/// Runs a kernel on one processor or on several, each with a thread that stays there, and takes samples until the median is known well
/// enough.
/// </summary>
/// <param name="request">What is measured.</param>
/// <param name="processors">Numbers of the processors, a thread on each.</param>
/// <param name="plan">How long.</param>
/// <param name="folder">Where a scratch file may be made.</param>
/// <param name="peer">The other end, where the network is measured.</param>
public sealed class Sampler(
    BenchmarkRequest request, IReadOnlyList<int> processors, SamplePlan plan, string folder, BenchmarkPeer? peer = null)
{
    private readonly bool _isTime = BenchmarkKind.Find(request.Kind)?.Unit == BenchmarkKind.Nanoseconds;

    /// <summary>Measures, and has the results checked.</summary>
    /// <param name="sampled">Told of each sample as it is taken.</param>
    /// <param name="cancellation">Ends it after the sample that is being taken.</param>
    /// <exception cref="WrongResultException">What was computed is wrong.</exception>
    /// <exception cref="IOException">The card or the network failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Samples Run(Action<double>? sampled, CancellationToken cancellation)
    {
        List<Worker> workers = [];
        try
        {
            foreach (int processor in processors)
            {
                workers.Add(new Worker(processor, () => KernelFactory.Create(request, folder, peer)));
            }
            workers.ForEach(worker => worker.WaitUntilReady());
            return Measure(workers, sampled, cancellation);
        }
        finally
        {
            workers.ForEach(worker => worker.Dispose());
        }
    }

    private Samples Measure(List<Worker> workers, Action<double>? sampled, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        long times = 1;
        // Calibration warms up as well: the same work, doubled until it takes as long as a sample should.
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            TimeSpan took = TimeSpan.FromSeconds(Take(workers, times).Seconds);
            if (took >= plan.Sample)
            {
                if (watch.Elapsed >= plan.WarmUp)
                {
                    break;
                }
                continue;
            }
            times = took < plan.Sample / 16 ? times * 8 : (long)Math.Ceiling(times * (plan.Sample / took) * 1.05);
        }
        workers.ForEach(worker => worker.Counts = true);
        var values = new List<double>();
        MedianSpread spread;
        bool isSteady;
        watch.Restart();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            (double work, double seconds) = Take(workers, times);
            values.Add(_isTime ? seconds * 1e9 * workers.Count / work : work / seconds);
            sampled?.Invoke(values[^1]);
            spread = MedianSpread.Of(values);
            isSteady = spread.RelativeWidth < plan.Steady;
        }
        while (values.Count < plan.Most && (values.Count < plan.Least || !isSteady) && (watch.Elapsed < plan.Limit || values.Count == 0));
        workers.ForEach(worker => worker.Counts = false);
        workers.ForEach(worker => worker.Verify());
        return new Samples(values, spread, isSteady, Together(workers));
    }

    private static BenchmarkCounters? Together(List<Worker> workers)
    {
        double[]?[] counted = [.. workers.Select(worker => worker.Counted)];
        return counted.Contains(null) ? null
            : new BenchmarkCounters(counted.Sum(c => c![0]), counted.Sum(c => c![1]), counted.Sum(c => c![2]));
    }

    /// <summary>All workers at once: their work together, and the time from the first one's start to the last one's end.</summary>
    private static (double Work, double Seconds) Take(List<Worker> workers, long times)
    {
        workers.ForEach(worker => worker.Begin(times));
        workers.ForEach(worker => worker.End());
        long began = workers.Min(w => w.Began), ended = workers.Max(w => w.Ended);
        return (workers.Sum(w => w.Work), Stopwatch.GetElapsedTime(began, ended).TotalSeconds);
    }

    /// <summary>A thread that stays on one processor, with its kernel's memory next to it: it is made there.</summary>
    private sealed class Worker : IDisposable
    {
        private readonly Thread _thread;
        private readonly SemaphoreSlim _begin = new(0), _end = new(0);
        private Kernel? _kernel;
        private HardwareCounters? _counters;
        private Exception? _fault;
        private Action<Kernel>? _act;

        public Worker(int processor, Func<Kernel> create)
        {
            _thread = new Thread(() => Live(processor, create)) { IsBackground = true, Name = $"benchmark on {processor}" };
            _thread.Start();
        }

        public double Work { get; private set; }

        public long Began { get; private set; }

        public long Ended { get; private set; }

        /// <summary>Whether the processor counts what it does from now on.</summary>
        public bool Counts { private get; set; }

        /// <summary>Cycles, instructions and cache misses; null: it does not tell.</summary>
        public double[]? Counted => _counters?.Read();

        public void WaitUntilReady() => End();

        public void Begin(long times) => Do(kernel =>
        {
            HardwareCounters? counters = Counts ? _counters : null;
            counters?.Start();
            Began = Stopwatch.GetTimestamp();
            Work = kernel.Run(times);
            Ended = Stopwatch.GetTimestamp();
            counters?.Stop();
        });

        /// <summary>Waits until it has done what it was told to.</summary>
        public void End()
        {
            _end.Wait();
            if (_fault is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_fault);
            }
        }

        public void Verify()
        {
            Do(kernel => kernel.Verify());
            End();
        }

        public void Dispose()
        {
            _act = null;
            _begin.Release();
            _thread.Join();
            _kernel?.Dispose();
            _counters?.Dispose();
            _begin.Dispose();
            _end.Dispose();
        }

        private void Do(Action<Kernel> act)
        {
            _act = act;
            _begin.Release();
        }

        private void Live(int processor, Func<Kernel> create)
        {
            try
            {
                Linux.StayOn(processor);
                _counters = HardwareCounters.Open();
                _kernel = create();
                while (true)
                {
                    _end.Release();
                    _begin.Wait();
                    if (_act is not { } act)
                    {
                        return;
                    }
                    act(_kernel);
                }
            }
            catch (Exception e) when (e is WrongResultException or LinuxException or OutOfMemoryException or IOException)
            {
                // Thrown where it is waited for; until it is told to end, it has nothing more to do.
                _fault = e;
                _end.Release();
                _begin.Wait();
            }
        }
    }
}
