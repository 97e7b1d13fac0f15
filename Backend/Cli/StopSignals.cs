using System.Runtime.InteropServices;

namespace Bootstrap.Cli;

/// <summary>SIGTERM and SIGINT, from the first moment on: whoever asks an appliance to stop while it starts finds that it has ended
/// well.</summary>
internal sealed partial class StopSignals : IDisposable
{
    private const int SigInt = 2, SigTerm = 15, Block = 0, Unblock = 1;

    private readonly CancellationTokenSource _asked = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Hears them from now on, and those that were held.</summary>
    public StopSignals()
    {
        _registrations =
            [PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask), PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask)];
        Release();

        void Ask(PosixSignalContext signal)
        {
            signal.Cancel = true;
            _asked.Cancel();
        }
    }

    /// <summary>Cancelled once somebody has asked.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>Holds them back for this thread, and for the program that takes its place (execve(2) leaves the mask as it is).</summary>
    public static void Hold() => Mask(Block);

    /// <summary>Lets them come.</summary>
    public static void Release() => Mask(Unblock);

    public void Dispose()
    {
        Array.ForEach(_registrations, registration => registration.Dispose());
        _asked.Dispose();
    }

    private static void Mask(int how)
    {
        ulong[] set = new ulong[16]; // sigset_t of glibc and musl: 1,024 bits, that of signal 1 first
        set[0] = (1UL << (SigInt - 1)) | (1UL << (SigTerm - 1));
        // It fails where 'how' is unknown, which it is not.
        _ = PthreadSigmask(how, set, 0);
    }

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int PthreadSigmask(int how, ulong[] set, nint old);
}
