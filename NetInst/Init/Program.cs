using Bootstrap.Board;
using Bootstrap.Init;

// PID 1 of the initramfs, and nothing else: on a running system it would mount over /dev and restart the machine.
if (Linux.GetPid() != 1 || !Initramfs.IsRoot())
{
    Console.Error.WriteLine("netinst: this is the init program of Bootstrap's installer; it runs as process 1 of an initramfs only");
    return 1;
}
foreach (EarlyMount mount in EarlyMount.All)
{
    mount.Do();
}
return await NetInst.RunAsync(TimeProvider.System);
