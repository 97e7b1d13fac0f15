using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Imaging.Tests;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.NetInst;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

public sealed class BootSetTests : IAsyncLifetime
{
    private const uint Pi4 = 0xc03114, Pi5 = 0xc04170;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("test-boot-sets-").FullName;
    private TestAppliance _appliance = null!;
    private HttpClient _api = null!, _plain = null!;

    public async ValueTask InitializeAsync()
    {
        TestDisk.Run("openssl", "genrsa", "-out", Path.Combine(_folder, "key.pem"), "2048");
        TestDisk.Run("openssl", "rsa", "-in", Path.Combine(_folder, "key.pem"), "-pubout", "-out", Path.Combine(_folder, "public.pem"));
        _appliance = await TestAppliance.StartAsync(change: options => options with { BootSigningKey = Path.Combine(_folder, "key.pem") });
        _api = _appliance.CreateClient();
        _plain = new HttpClient(
            new SocketsHttpHandler { AllowAutoRedirect = false })
        { BaseAddress = new Uri($"http://{_appliance.Options.Http}/") };
    }

    public async ValueTask DisposeAsync()
    {
        _plain.Dispose();
        _api.Dispose();
        await _appliance.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_set_of_an_image_is_made_used_by_a_model_and_deleted_when_nobody_uses_it()
    {
        await CreateAsync();
        Assert.Equal("raspios", (await _api.GetFromJsonAsync<JsonNode>("boot/sets", s_end))!["sets"]![0]!["name"]!.ToString());
        await UseAsync("pi5", "raspios");

        Assert.Contains("kernel=kernel8.img\ninitramfs initramfs8", Config(Pi4, "cccc0004"));
        Assert.Contains("[pi5]\nkernel=kernel_2712.img\ninitramfs initramfs-kernel_2712 followkernel", Config(Pi5, "cccc0005"));
        byte[] initramfs = Read("cccc0005/initramfs-kernel_2712")!;
        byte[] personal = _appliance.Services.GetRequiredService<IReadOnlyDictionary<string, NetInstFiles>>()["arm64"].Personal;
        Assert.Equal([0x28, 0xb5, 0x2f, 0xfd], initramfs[..4]);
        // The shared folder's init.cpio.zst, on a multiple of 512, then what is the appliance's own.
        Assert.Equal([1, 2, 3, 4], initramfs[^(personal.Length + 512)..][..4]);
        Assert.Equal(personal, initramfs[^personal.Length..]);
        Assert.Null(Read("cccc0005/initramfs8"));

        Assert.Equal(HttpStatusCode.Conflict, (await _api.DeleteAsync("boot/sets/raspios", s_end)).StatusCode);
        await UseAsync("pi5", null);
        Assert.Equal(HttpStatusCode.NoContent, (await _api.DeleteAsync("boot/sets/raspios", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _api.DeleteAsync("boot/sets/raspios", s_end)).StatusCode);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_appliance.Options.DataFolder, "boot", "sets")));
    }

    [Fact]
    public async Task A_running_board_is_reinstalled_with_the_kernel_of_its_set()
    {
        await CreateAsync();
        await UseAsync("pi5", "raspios");
        Inventory pi4 = SimulatedNode.InventoryOf(NodeId.Parse("10000000cccc0007"), "arm64"),
            pi5 = SimulatedNode.InventoryOf(NodeId.Parse("10000000cccc0008"), "arm64") with { Revision = Pi5.ToString("x") };

        Assert.Equal("/netinst/arm64/kernel", (await ReinstallAsync(pi4)).Kernel.Path);
        StageInstallOrder order = await ReinstallAsync(pi5);
        Assert.Equal(("/boot/raspios/kernel_2712.img", "/boot/raspios/initramfs-kernel_2712"), (order.Kernel.Path, order.Initramfs.Path));
        foreach (RemoteFile file in new[] { order.Kernel, order.Initramfs })
        {
            byte[] bytes = await _plain.GetByteArrayAsync(file.Path, s_end);
            Assert.Equal((file.Length, file.Digest), (bytes.LongLength, new Digest(SHA256.HashData(bytes))));
        }
    }

    [Fact]
    public async Task What_makes_no_set_is_refused_in_a_sentence_and_leaves_nothing()
    {
        await _api.PostAsync("images?name=tiny&architecture=arm64", new ByteArrayContent(TinyImage.Create()), s_end);
        Assert.Equal("The boot set was not made: a boot set is taken from a FAT boot partition and an ext4 root, as Raspberry Pi OS has " +
            "them; this image has not both.",
            await RefusalAsync("tiny", "x", HttpStatusCode.BadRequest));
        await RefusalAsync("tiny", "../x", HttpStatusCode.BadRequest);
        await RefusalAsync("none", "x", HttpStatusCode.NotFound);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_appliance.Options.DataFolder, "boot", "sets")));
    }

    [Fact]
    public async Task Boot_img_is_a_sound_file_system_with_the_set_s_files_and_its_signature_verifies()
    {
        await CreateAsync();
        string image = Path.Combine(_folder, "boot.img"), copy = Path.Combine(_folder, "copy");
        byte[] bytes = await _plain.GetByteArrayAsync("boot/raspios/boot.img", s_end);
        await File.WriteAllBytesAsync(image, bytes, s_end);
        TestDisk.Run("fsck.vfat", "-n", image);
        foreach (string name in new[] { "kernel8.img", "initramfs-kernel_2712", "overlays/a-rather-long-overlay-name.dtbo" })
        {
            TestDisk.Run("mcopy", "-n", "-o", "-i", image, "::" + name, copy);
            Assert.Equal(await _plain.GetByteArrayAsync("boot/raspios/" + name, s_end), await File.ReadAllBytesAsync(copy, s_end));
        }

        string[] lines = (await _plain.GetStringAsync("boot/raspios/boot.sig", s_end)).Split('\n');
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), lines[0]);
        Assert.Matches("^ts: [0-9]+$", lines[1]);
        string signature = Path.Combine(_folder, "signature");
        await File.WriteAllBytesAsync(signature, Convert.FromHexString(lines[2]["rsa2048: ".Length..]), s_end);
        TestDisk.Run("openssl", "dgst", "-sha256", "-verify", Path.Combine(_folder, "public.pem"), "-signature", signature, image);

        using var range = new HttpRequestMessage(HttpMethod.Get,
            "boot/raspios/boot.img")
        { Headers = { Range = new RangeHeaderValue(bytes.Length - 5_000_001, bytes.Length - 4_000_001) } };
        using HttpResponseMessage part = await _plain.SendAsync(range, s_end);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[^5_000_001..^4_000_000], await part.Content.ReadAsByteArrayAsync(s_end));
        using var head = new HttpRequestMessage(HttpMethod.Head, "boot/raspios/boot.img");
        using HttpResponseMessage length = await _plain.SendAsync(head, s_end);
        Assert.Equal(bytes.Length, length.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_board_s_boot_img_says_why_it_boots_and_stays_the_same_within_one_boot()
    {
        byte[] first = await _plain.GetByteArrayAsync("boot/10000000cccc0006/boot.img", s_end);
        Assert.Equal(first, await _plain.GetByteArrayAsync("boot/cccc0006/boot.img", s_end));
        Assert.Contains("starts NetInst: it was never seen before", Encoding.ASCII.GetString(first));
        Assert.Equal(HttpStatusCode.NotFound, (await _plain.GetAsync("boot/nobody/boot.img", s_end)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _plain.GetAsync("boot/cccc0006/absent", s_end)).StatusCode);
    }

    private async Task<StageInstallOrder> ReinstallAsync(Inventory board)
    {
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(_appliance.Info, board, NodeRole.Slave, s_end);
        using HttpResponseMessage ordered = await _api.PostAsJsonAsync("jobs",
            new { kind = "install", nodes = new[] { board.Id.ToString() }, image = "os" }, s_end);
        Assert.True(ordered.IsSuccessStatusCode, await ordered.Content.ReadAsStringAsync(s_end));
        return Assert.IsType<StageInstallOrder>((await node.ReceiveAsync<StartTask>(s_end)).Order);
    }

    private async Task CreateAsync()
    {
        using var disk = new TestDisk(96 << 20, fillRoot: RaspberryPiOs.FillRoot, kernel: RaspberryPiOs.Kernel("6.6.0-v8"));
        RaspberryPiOs.Put(disk, "kernel_2712.img", RaspberryPiOs.Kernel("6.6.0-v2712-2712"));
        RaspberryPiOs.Put(disk, "start4.elf", TestDisk.Random(3_000_001, 9));
        TestDisk.Run("mmd", "-i", $"{disk.Image}@@{TestDisk.BootStart}", "::overlays");
        for (int i = 0; i < 70; i++)
        {
            RaspberryPiOs.Put(disk, $"overlays/overlay-number-{i}.dtbo", [1, 2, (byte)i]);
        }
        RaspberryPiOs.Put(disk, "overlays/a-rather-long-overlay-name.dtbo", [7, 7, 7]);
        await using FileStream file = File.OpenRead(disk.Image);
        (await _api.PostAsync("images?name=os", new StreamContent(file), s_end)).EnsureSuccessStatusCode();
        using HttpResponseMessage made = await _api.PostAsJsonAsync("boot/sets", new { image = "os", name = "raspios" }, s_end);
        Assert.True(made.StatusCode == HttpStatusCode.Created, await made.Content.ReadAsStringAsync(s_end));
    }

    private async Task UseAsync(string model, string? set) =>
        (await _api.PutAsJsonAsync($"boot/sets/use/{model}", new { set }, s_end)).EnsureSuccessStatusCode();

    private async Task<string> RefusalAsync(string image, string name, HttpStatusCode status)
    {
        using HttpResponseMessage answer = await _api.PostAsJsonAsync("boot/sets", new { image, name }, s_end);
        Assert.Equal(status, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!["detail"]!.ToString();
    }

    private string Config(uint revision, string serial)
    {
        _appliance.Services.GetRequiredService<IBootGate>().Admits(
            new MacAddress(0xd83add000000 | Convert.ToUInt64(serial[4..], 16)),
            new DhcpClient(BootClientKind.RaspberryPi, new ClientMachineId(MachineIdForm.PiEeprom, Convert.ToUInt32(serial, 16), revision),
                false), DhcpMessageType.Discover);
        return Encoding.ASCII.GetString(Read(serial + "/config.txt")!);
    }

    private byte[]? Read(string path)
    {
        using BootFile? file = _appliance.Services.GetRequiredService<IBootFiles>().Find(new BootClient(IPAddress.Loopback, null), path);
        byte[]? bytes = file is null ? null : new byte[file.Length];
        Assert.Equal(file?.Length ?? 0, file?.ReadAt(0, bytes) ?? 0);
        return bytes;
    }
}
