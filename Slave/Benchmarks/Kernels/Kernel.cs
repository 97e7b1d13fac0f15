namespace Bootstrap.Benchmarks.Kernels;

/// <summary>
/// What a benchmark does over and over: it has its memory from the start, does the same work each time, and can tell whether what it
/// computed is right. One thread uses it.
/// </summary>
public abstract class Kernel : IDisposable
{
    /// <summary>Does the work so many times.</summary>
    /// <returns>How much that was: bytes, floating-point operations, or accesses , as its unit says.</returns>
    public abstract double Run(long times);

    /// <summary>Looks at what the last <see cref="Run"/> computed; at least one was done.</summary>
    /// <exception cref="WrongResultException">It is not right: what was measured is no result of this benchmark.</exception>
    public abstract void Verify();

    /// <summary>Gives memory and files back.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A kernel computed something else than it should have: the machine, or the program, is at fault.</summary>
/// <param name="message">What differs, in one sentence.</param>
public sealed class WrongResultException(string message) : Exception(message);
