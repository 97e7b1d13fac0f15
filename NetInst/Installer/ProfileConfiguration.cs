using Bootstrap.Protocol.Link;
using static Bootstrap.Installer.SystemConfiguration;

namespace Bootstrap.Installer;

/// <summary>Edits a freshly written system as a customisation profile says.</summary>
internal static class ProfileConfiguration
{
    private const string Zones = "/usr/share/zoneinfo";
    private const string CloudSeed = "/var/lib/cloud/seed/nocloud";

    /// <summary>Makes all the edits; doing it again changes nothing.</summary>
    /// <param name="log">Told what the image lacks, where the system starts without it.</param>
    /// <exception cref="InstallException">The image lacks what the profile cannot do without.</exception>
    public static void Apply(RootedFolder root, Guid installId, string hostName, SystemProfile profile, Action<string> log)
    {
        if (profile.UserData.Length > 0)
        {
            SeedCloudInit(root, installId, hostName, profile.UserData);
        }
        SetLocale(root, profile.Locale);
        SetKeyboard(root, profile.Keyboard);
        SetTimeZone(root, profile.TimeZone, log);
        ProfileNetwork.Apply(root, profile);
        var accounts = new ProfileAccounts(root, log);
        foreach (SystemUser user in profile.Users)
        {
            accounts.Apply(user);
        }
        accounts.Save();
        if (profile.Users.Count > 0)
        {
            EndFirstUserQuestion(root);
        }
        foreach (SystemFile file in profile.Files)
        {
            WriteText(root, file.Path, file.Content, file.Mode, accounts.OwnerNamed(file));
        }
        const string script = $"{NodeFiles.Directory}/{NodeFiles.FirstBootScript}";
        if (profile.FirstBootScript.Length > 0)
        {
            WriteText(root, script, profile.FirstBootScript, OwnerFolder);
        }
        else if (root.Exists(script))
        {
            root.Delete(script);
        }
    }

    /// <summary>The data source NoCloud (cloud-init's documentation), which is made the only one.</summary>
    private static void SeedCloudInit(RootedFolder root, Guid installId, string hostName, string userData)
    {
        if (!root.Exists(CloudInit))
        {
            throw new InstallException(
                "the profile has user-data for cloud-init, which this image does not have: take that out of the profile, or choose an " +
                "image with cloud-init", final: true);
        }
        WriteText(root, $"{CloudSeed}/user-data", userData, OwnerFile);
        WriteText(root, $"{CloudSeed}/meta-data", $"instance-id: {installId}\nlocal-hostname: {hostName}\n", PublicFile);
        WriteText(root, CloudConfiguration,
            $"datasource_list: [ NoCloud, None ]\ndatasource:\n  NoCloud:\n    seedfrom: file://{CloudSeed}/\n{KeepName}", PublicFile);
        // Its own switch: an image may ship it, for starts without a profile.
        root.Delete("/etc/cloud/cloud-init.disabled");
    }

    /// <summary>Debian's file, or systemd's where the image is another. The Slave generates the locale at the first start.</summary>
    private static void SetLocale(RootedFolder root, string locale)
    {
        if (locale.Length == 0)
        {
            return;
        }
        WriteText(root, IsDebian(root) ? "/etc/default/locale" : "/etc/locale.conf", $"LANG={locale}\n", PublicFile);
        if (root.ReadText("/etc/locale.gen") is { } known && locale != "C.UTF-8")
        {
            string line = $"{locale} UTF-8";
            string[] lines = [.. known.Split('\n').Select(l => l.TrimStart('#', ' ').TrimEnd() == line ? line : l)];
            WriteText(root, "/etc/locale.gen", string.Join('\n', lines.Contains(line) ? lines : [.. lines, line, ""]), PublicFile);
        }
    }

    private static void SetKeyboard(RootedFolder root, SystemKeyboard? keyboard)
    {
        if (keyboard is null)
        {
            return;
        }
        if (IsDebian(root))
        {
            WriteText(root, "/etc/default/keyboard",
                $"XKBMODEL=\"{keyboard.Model}\"\nXKBLAYOUT=\"{keyboard.Layout}\"\nXKBVARIANT=\"{keyboard.Variant}\"\n" +
                $"XKBOPTIONS=\"{keyboard.Options}\"\n\nBACKSPACE=\"guess\"\n", PublicFile);
        }
        else
        {
            WriteText(root, "/etc/vconsole.conf",
                $"KEYMAP={keyboard.Layout}\nXKBLAYOUT={keyboard.Layout}\nXKBMODEL={keyboard.Model}\n" +
                $"XKBVARIANT={keyboard.Variant}\nXKBOPTIONS={keyboard.Options}\n", PublicFile);
        }
    }

    private static void SetTimeZone(RootedFolder root, string zone, Action<string> log)
    {
        if (zone.Length == 0)
        {
            return;
        }
        if (!root.Exists($"{Zones}/{zone}"))
        {
            log($"the image has no data of the time zone {zone}: until its package tzdata is installed, the system tells UTC");
        }
        root.Link("/etc/localtime", $"{Zones}/{zone}");
        if (IsDebian(root))
        {
            WriteText(root, "/etc/timezone", zone + '\n', PublicFile);
        }
    }

    /// <summary>Raspberry Pi OS asks for a first user's name on its screen and refuses logins until it has one; and it starts no SSH server
    /// unasked.</summary>
    private static void EndFirstUserQuestion(RootedFolder root)
    {
        const string wants = "/etc/systemd/system/multi-user.target.wants";
        if (!root.Exists("/usr/lib/userconf-pi") && !root.Exists("/lib/systemd/system/userconfig.service"))
        {
            return;
        }
        root.Delete($"{wants}/userconfig.service");
        root.Delete("/etc/ssh/sshd_config.d/rename_user.conf");
        const string server = "/lib/systemd/system/ssh.service";
        if (root.Exists(server))
        {
            root.Link($"{wants}/ssh.service", server);
        }
    }

    private static bool IsDebian(RootedFolder root) => root.Exists("/etc/debian_version");
}
