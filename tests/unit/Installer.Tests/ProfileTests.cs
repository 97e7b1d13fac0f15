using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Board;
using Bootstrap.Link;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer.Tests;

/// <summary>Profiles, applied to root folders such as images have them.</summary>
public sealed class ProfileTests : IDisposable
{
    private const string Key = "ssh-ed25519 AAAA test";

    private static readonly SystemProfile s_empty = new([], "", null, "", null, [], [], "", "");
    private static readonly SystemUser s_user = new("ada", "Ada Lovelace", ["video", "lab"], "", true, [Key], "$6$salt$hash");

    private readonly string _outside = Directory.CreateTempSubdirectory("profile-").FullName;
    private readonly List<string> _log = [];

    public ProfileTests()
    {
        Write("etc/debian_version", "12.5\n");
        Write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n" +
            "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n");
        Write("etc/shadow", "root:*:19000:0:99999:7:::\npi:!:19000:0:99999:7:::\n");
        Write("etc/group", "root:x:0:\nvideo:x:44:pi\npi:x:1000:\n");
        Write("etc/gshadow", "root:*::\nvideo:*::pi\npi:!::\n");
        Write("etc/skel/.profile", "# profile\n");
        Write("etc/skel/dangling", "");
        File.Delete(Inside("etc/skel/dangling"));
        File.CreateSymbolicLink(Inside("etc/skel/dangling"), "nowhere");
        File.CreateSymbolicLink(Inside("etc/skel/everything"), "/");
        Write("etc/skel/.config/app/settings", "x\n");
        Write("bin/bash", "");
        Write("home/pi/.profile", "# his\n");
        File.SetUnixFileMode(Inside("etc/shadow"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    private string Root => Path.Combine(_outside, "root");

    public void Dispose() => Directory.Delete(_outside, recursive: true);

    [Fact]
    public void A_new_user_has_a_free_number_a_home_his_groups_his_key_and_sudo()
    {
        Apply(s_empty with { Users = [s_user] });
        // A second time changes nothing.
        Apply(s_empty with { Users = [s_user] });
        Assert.Contains("\nada:x:1001:1001:Ada Lovelace:/home/ada:/bin/bash\n", Read("etc/passwd"));
        Assert.Contains("\nada:$6$salt$hash::0:99999:7:::\n", Read("etc/shadow"));
        Assert.Equal("root:x:0:\nvideo:x:44:pi,ada\npi:x:1000:\nada:x:1001:\nlab:x:100:ada\n", Read("etc/group"));
        Assert.Equal("root:*::\nvideo:*::pi,ada\npi:!::\nada:!::\nlab:!::ada\n", Read("etc/gshadow"));
        Assert.Equal("640", Mode("etc/shadow"));
        foreach (string path in new[] { "home/ada", "home/ada/.profile", "home/ada/.config", "home/ada/.config/app/settings",
            "home/ada/.ssh", "home/ada/.ssh/authorized_keys" })
        {
            Assert.Equal((1001u, 1001u), Linux.OwnerOf(Inside(path)));
        }
        Assert.Equal(("700", "700", "600", "440"),
            (Mode("home/ada"), Mode("home/ada/.ssh"), Mode("home/ada/.ssh/authorized_keys"), Mode("etc/sudoers.d/010-bootstrap-ada")));
        Assert.Equal("ada ALL=(ALL:ALL) NOPASSWD: ALL\n", Read("etc/sudoers.d/010-bootstrap-ada"));
        Assert.Equal(Key + "\n", Read("home/ada/.ssh/authorized_keys"));
    }

    [Fact]
    public void A_user_that_the_image_has_keeps_what_the_profile_does_not_say()
    {
        Apply(s_empty with { Users = [new SystemUser("pi", "", [], "", false, [Key], "")] });
        Assert.Contains("\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n", Read("etc/passwd"));
        Assert.Contains("\npi:!:19000:0:99999:7:::\n", Read("etc/shadow"));
        Assert.Equal("# his\n", Read("home/pi/.profile"));
        Assert.Equal((1000u, 1000u), Linux.OwnerOf(Inside("home/pi/.ssh/authorized_keys")));
        Assert.False(File.Exists(Inside("etc/sudoers.d/010-bootstrap-pi")));
    }

    [Fact]
    public void Locale_keyboard_and_time_zone_are_set_as_Debian_has_them()
    {
        Write("usr/share/zoneinfo/Europe/Berlin", "");
        Write("etc/locale.gen", "# de_DE.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n");
        Apply(s_empty with
        {
            Locale = "de_DE.UTF-8",
            Keyboard = new SystemKeyboard("de", "pc105", "nodeadkeys", ""),
            TimeZone = "Europe/Berlin"
        });
        Assert.Equal("LANG=de_DE.UTF-8\n", Read("etc/default/locale"));
        Assert.Equal("de_DE.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n", Read("etc/locale.gen"));
        Assert.Contains("XKBLAYOUT=\"de\"\nXKBVARIANT=\"nodeadkeys\"\n", Read("etc/default/keyboard"));
        Assert.Equal("/usr/share/zoneinfo/Europe/Berlin", new FileInfo(Inside("etc/localtime")).LinkTarget);
        Assert.Equal("Europe/Berlin\n", Read("etc/timezone"));
        Assert.Empty(_log);
        Apply(s_empty with { TimeZone = "Asia/Tokyo" });
        Assert.Contains("the image has no data of the time zone Asia/Tokyo", Assert.Single(_log));
    }

    [Fact]
    public void Files_belong_to_whom_they_are_to_belong_and_the_script_waits_for_the_first_start()
    {
        Apply(s_empty with
        {
            Users = [s_user],
            Files = [new SystemFile("/home/ada/.config/deep/er/file", "mine\n", "ada", "ada", 0x180),
            new SystemFile("/etc/motd", "hello\n", "root", "video", 0x1a4)],
            FirstBootScript = "#!/bin/sh\n",
        });
        Assert.Equal("mine\n", Read("home/ada/.config/deep/er/file"));
        Assert.Equal((1001u, 1001u), Linux.OwnerOf(Inside("home/ada/.config/deep")));
        Assert.Equal(("600", "644"), (Mode("home/ada/.config/deep/er/file"), Mode("etc/motd")));
        Assert.Equal((0u, 44u), Linux.OwnerOf(Inside("etc/motd")));
        Assert.Equal("700", Mode("etc/bootstrap/first-boot"));
        var refused = Assert.Throws<InstallException>(
            () => Apply(s_empty with { Files = [new SystemFile("/x", "", "nobody-here", "root", 0x1a4)] }));
        Assert.True(refused.Final);
        Assert.Equal("/x is to belong to the user 'nobody-here', whom neither the image nor the profile has", refused.Message);
    }

    [Fact]
    public void Links_of_a_hostile_image_lead_nothing_out_of_it()
    {
        string victim = Path.Combine(_outside, "victim");
        Directory.CreateDirectory(victim);
        Directory.Delete(Inside("home/pi"), recursive: true);
        File.CreateSymbolicLink(Inside("home/pi"), victim);
        File.CreateSymbolicLink(Inside("etc/sudoers.d"), "../../../../../../" + victim);
        File.CreateSymbolicLink(Inside("etc/default"), "../../victim");
        File.CreateSymbolicLink(Inside("etc/skel/loop"), "..");
        try
        {
            Apply(s_empty with { Users = [s_user, s_user with { Name = "pi" }], Keyboard = new SystemKeyboard("de", "pc105", "", "") });
        }
        catch (IOException)
        {
            // A link that leads nowhere inside the image may be refused: that is well.
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(victim));
    }

    [Fact]
    public void NetworkManager_gets_key_files_and_the_radio_is_let_on()
    {
        Write("usr/sbin/NetworkManager", "");
        Write("usr/sbin/netplan", "");
        Write("var/lib/systemd/rfkill/platform-fe300000.mmcnr:wlan", "1");
        Apply(s_empty with
        {
            Networks = [new SystemNetwork("eth0", "10.0.0.5/24", "10.0.0.1", ["9.9.9.9", "2620:fe::fe"]),
                new SystemNetwork("dc:a6:32:01:02:03", "fd00::5/64", "", [])],
            Wireless = new SystemWireless("Café", "DE", "back\\slash and more", false),
        });
        string wired = Read("etc/NetworkManager/system-connections/bootstrap-eth0.nmconnection");
        Assert.Contains("interface-name=eth0\n", wired);
        Assert.Contains("\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24\ngateway=10.0.0.1\ndns=9.9.9.9;\n\n" +
            "[ipv6]\nmethod=auto\ndns=2620:fe::fe;\n", wired);
        Assert.Equal("600", Mode("etc/NetworkManager/system-connections/bootstrap-eth0.nmconnection"));
        Assert.Contains("mac-address=DC:A6:32:01:02:03\n\n[ipv6]\nmethod=manual\naddress1=fd00::5/64\n",
            Read("etc/NetworkManager/system-connections/bootstrap-dca632010203.nmconnection"));
        string wifi = Read("etc/NetworkManager/system-connections/bootstrap-wifi.nmconnection");
        Assert.Contains("ssid=67;97;102;195;169;\n", wifi);
        Assert.Contains("psk=back\\\\slash and more\n", wifi);
        Assert.Equal("options cfg80211 ieee80211_regdom=DE\n", Read("etc/modprobe.d/bootstrap-wifi.conf"));
        Assert.Equal("0\n", Read("var/lib/systemd/rfkill/platform-fe300000.mmcnr:wlan"));
        Assert.False(File.Exists(Inside("etc/netplan/90-bootstrap.yaml")));
    }

    [Fact]
    public void Networkd_gets_files_that_come_before_the_images_own()
    {
        Write("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "");
        Write("sbin/wpa_supplicant", "");
        Apply(s_empty with
        {
            Networks = [new SystemNetwork("eth0", "10.0.0.5/24", "10.0.0.1", ["9.9.9.9"])],
            Wireless = new SystemWireless("lab", "DE", "passphrase", true)
        });
        Assert.Equal("[Match]\nName=eth0\n\n[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\nDNS=9.9.9.9\n",
            Read("etc/systemd/network/05-bootstrap-eth0.network"));
        Assert.Equal("nameserver 9.9.9.9\n", Read("etc/resolv.conf"));
        Assert.Contains("ssid=6c6162\n\tscan_ssid=1\n\tpsk=\"passphrase\"\n", Read("etc/wpa_supplicant/wpa_supplicant-wlan0.conf"));
        Assert.Equal("600", Mode("etc/wpa_supplicant/wpa_supplicant-wlan0.conf"));
    }

    [Fact]
    public void Netplan_gets_a_file_that_only_root_reads()
    {
        Write("usr/sbin/netplan", "");
        Apply(s_empty with
        {
            Networks = [new SystemNetwork("eth0", "10.0.0.5/24", "10.0.0.1", ["9.9.9.9"])],
            Wireless = new SystemWireless("a \"b\"", "DE", "passphrase", false)
        });
        Assert.Equal("""
            network:
              version: 2
              ethernets:
                eth0:
                  dhcp4: false
                  addresses: ["10.0.0.5/24"]
                  routes: [{to: default, via: "10.0.0.1"}]
                  nameservers: {addresses: ["9.9.9.9"]}
              wifis:
                wlan0:
                  regulatory-domain: "DE"
                  access-points:
                    "a \"b\"": {password: "passphrase"}
                  dhcp4: true

            """.ReplaceLineEndings("\n"), Read("etc/netplan/90-bootstrap.yaml"));
        Assert.Equal("600", Mode("etc/netplan/90-bootstrap.yaml"));
    }

    [Fact]
    public void Ifupdown_forgets_what_it_was_told_of_the_interface()
    {
        Write("usr/sbin/ifup", "");
        Write("etc/network/interfaces",
            "auto lo eth0\niface lo inet loopback\n\n" +
            "allow-hotplug eth0\niface eth0 inet dhcp\n    metric 5\n\nauto eth1\niface eth1 inet dhcp\n");
        SystemNetwork network = new("eth0", "10.0.0.5/24", "10.0.0.1", []);
        Apply(s_empty with { Networks = [network] });
        Assert.Equal("auto lo\niface lo inet loopback\n\nauto eth1\niface eth1 inet dhcp\nsource /etc/network/interfaces.d/*\n",
            Read("etc/network/interfaces"));
        Assert.Equal("auto eth0\niface eth0 inet static\n    address 10.0.0.5/24\n    gateway 10.0.0.1\n",
            Read("etc/network/interfaces.d/bootstrap"));
        Assert.Contains("knows interfaces by their names alone", Assert.Throws<InstallException>(
            () => Apply(s_empty with { Networks = [network with { Interface = "dc:a6:32:01:02:03" }] })).Message);
    }

    [Fact]
    public void What_the_image_cannot_do_without_is_refused_for_good()
    {
        Assert.Contains("neither NetworkManager nor", Assert.Throws<InstallException>(
            () => Apply(s_empty with { Networks = [new SystemNetwork("eth0", "10.0.0.5/24", "", [])] })).Message);
        var refused = Assert.Throws<InstallException>(() => Apply(s_empty with { UserData = "#cloud-config\n" }));
        Assert.StartsWith("the profile has user-data for cloud-init, which this image does not have", refused.Message,
            StringComparison.Ordinal);
        Assert.True(refused.Final);
        Write("usr/bin/cloud-init", "");
        Apply(s_empty with { UserData = "#cloud-config\n" });
        Assert.Equal("#cloud-config\n", Read("var/lib/cloud/seed/nocloud/user-data"));
        Assert.Contains("local-hostname: node-1\n", Read("var/lib/cloud/seed/nocloud/meta-data"));
        Assert.Contains("preserve_hostname: true\n", Read("etc/cloud/cloud.cfg.d/zz-bootstrap.cfg"));
    }

    [Theory]
    [InlineData("etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg", "datasource:\n  NoCloud:\n    seedfrom: file:///boot/firmware\n")]
    [InlineData("etc/cloud/cloud.cfg.d/01_debian_cloud.cfg", "manage_etc_hosts: true\n")]
    public void On_an_image_with_cloud_init_the_host_name_stays_and_its_own_source_of_data_too(string file, string text)
    {
        Write("usr/bin/cloud-init", "");
        Write(file, text);
        Write("etc/cloud/templates/hosts.debian.tmpl", "## template:jinja\n127.0.1.1 {{fqdn}} {{hostname}}\n127.0.0.1 localhost\n");
        Apply(s_empty);
        Assert.Equal("## template:jinja\n127.0.0.1 localhost\n127.0.1.1\tnode-1\n", Read("etc/cloud/templates/hosts.debian.tmpl"));
        Assert.Equal("preserve_hostname: true\nmanage_etc_hosts: false\n", Read("etc/cloud/cloud.cfg.d/zz-bootstrap.cfg"));
        Assert.Equal(text, Read(file));
        Assert.True(string.CompareOrdinal("zz-bootstrap.cfg", Path.GetFileName(file)) > 0); // read last
        Assert.False(Directory.Exists(Inside("var/lib/cloud/seed")));
    }

    [Fact]
    public void Raspberry_Pi_OS_asks_no_longer_for_its_first_user_and_lets_him_in()
    {
        Write("lib/systemd/system/userconfig.service", "");
        Write("lib/systemd/system/ssh.service", "");
        Write("etc/systemd/system/multi-user.target.wants/userconfig.service", "");
        Write("etc/ssh/sshd_config.d/rename_user.conf", "Banner x\n");
        Apply(s_empty with { Users = [s_user] });
        Assert.False(File.Exists(Inside("etc/systemd/system/multi-user.target.wants/userconfig.service")));
        Assert.False(File.Exists(Inside("etc/ssh/sshd_config.d/rename_user.conf")));
        Assert.Equal("/lib/systemd/system/ssh.service",
            new FileInfo(Inside("etc/systemd/system/multi-user.target.wants/ssh.service")).LinkTarget);
    }

    private void Apply(SystemProfile profile)
    {
        (ECDsa key, X509Certificate2 certificate) = TestImage.Issue("mac-525400000001");
        var trust = new InstallTrust(TestImage.Authority, certificate.ExportCertificatePem() + key.ExportPkcs8PrivateKeyPem(),
            new ApplianceEndpoint(System.Net.IPAddress.Loopback, 8444));
        using var root = new RootedFolder(Root);
        SystemConfiguration.Apply(root, Guid.NewGuid(),
            new NodeConfiguration("node-1", [], new RemoteFile("/programs/slave", Digest.Of("x"u8), 1), [], "default", profile),
            trust, "slave"u8, _log.Add);
    }

    private string Inside(string path) => Path.Combine(Root, path);

    private string Read(string path) => File.ReadAllText(Inside(path));

    /// <summary>In octal.</summary>
    private string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(Inside(path)), 8);

    private void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Inside(path))!);
        File.WriteAllText(Inside(path), content);
    }
}
