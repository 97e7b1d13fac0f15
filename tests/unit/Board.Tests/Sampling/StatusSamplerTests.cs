using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests.Sampling;

public sealed class StatusSamplerTests : IDisposable
{
    private readonly FixtureRoot _root = new();
    private readonly StepClock _clock = new();
    private readonly FakeFirmware _firmware = new();
    private StatusSampler? _sampler;

    public void Dispose()
    {
        _sampler?.Dispose();
        _root.Dispose();
    }

    private StatusReading Sample(double after = 0)
    {
        _clock.Step(after);
        return (_sampler ??= new StatusSampler(_root.Folder, _clock, _firmware)).Sample(withProcesses: false);
    }

    private static double? Value(StatusReading reading, string metric, string? part = null) =>
        reading.Values.TryGetValue(part is null ? metric : MetricKey.Of(metric, part), out double value) ? Math.Round(value, 6) : null;

    [Fact]
    public void A_first_reading_tells_what_needs_no_earlier_one()
    {
        _root.AddPi4();
        StatusReading reading = Sample();
        Assert.Equal(1500, Value(reading, Metrics.Clock));
        Assert.Equal(1500, Value(reading, Metrics.Clock, "3"));
        Assert.Equal(1800, Value(reading, Metrics.NominalClock));
        Assert.Equal((0.52, 0.38, 0.17),
            (Value(reading, Metrics.Load1), Value(reading, Metrics.Load5), Value(reading, Metrics.Load15)));
        Assert.Equal(3884376.0 * 1024, Value(reading, Metrics.Memory));
        Assert.Equal(3495936.0 * 1024, Value(reading, Metrics.MemoryAvailable));
        Assert.Equal(10, Value(reading, Metrics.MemoryUsed)!.Value, 0.01);
        Assert.Equal(25, Value(reading, Metrics.SwapUsed)!.Value, 0.01);
        Assert.Equal((1.25, 0.0, 7.5),
            (Value(reading, Metrics.PressureCpu), Value(reading, Metrics.PressureMemory), Value(reading, Metrics.PressureIo)));
        Assert.Equal(48.312, Value(reading, Metrics.Temperature));
        Assert.Equal(48.312, Value(reading, Metrics.Temperature, "cpu-thermal"));
        Assert.Equal(1000, Value(reading, Metrics.LinkSpeed, "eth0"));
        Assert.Equal((2.0, 5400.25), (Value(reading, Metrics.OomKills), Value(reading, Metrics.Uptime)));
        Assert.Equal(0.42, Value(reading, Metrics.Current, "rpi-poe"));
        Assert.Equal("rpi-poe (online)", reading.Facts[StatusFact.PowerSupply]);
        Assert.Equal("SanDisk SC32G 07/2022", reading.Facts[StatusFact.Card]);
        Assert.Equal("ondemand", reading.Facts[StatusFact.Governor]);
        Assert.Equal(("pi-1", "6.12.25+rpt-rpi-v8", "2f1d3c5e-0b1a-4c8d-9e7f-1a2b3c4d5e6f"),
            (reading.Facts[StatusFact.HostName], reading.Facts[StatusFact.Kernel], reading.Facts[StatusFact.BootId]));
        Assert.DoesNotContain(reading.Values.Keys, key => MetricKey.MetricOf(key) is Metrics.Busy or Metrics.DiskRead or Metrics.Receive);
        Assert.Equal(_clock.GetUtcNow().ToUnixTimeMilliseconds(), reading.At);
    }

    [Fact]
    public void Every_value_belongs_to_a_known_metric()
    {
        _root.AddPi5();
        Sample();
        Assert.All(Sample(1).Values.Keys, key => Assert.NotNull(Metrics.Find(key)));
    }

    [Fact]
    public void Rates_come_of_two_readings_and_the_time_between()
    {
        _root.AddPi4();
        Sample();
        _root.File("proc/stat", FakePi.Stat((1300, 200, 8600), (800, 50, 4100), (200, 125, 2300), (200, 15, 1900), (100, 10, 500)))
            .File("sys/block/mmcblk0/stat", FakePi.DiskStat(1010, 48192, 2600, 520, 16000, 5100, 4000))
            .AddTraffic("eth0", 3_000_000, 250_000, errors: 4, drops: 10);
        StatusReading reading = Sample(2);
        Assert.Equal((40.0, 10.0), (Value(reading, Metrics.Busy), Value(reading, Metrics.System)));
        Assert.Equal((75.0, 0.0), (Value(reading, Metrics.Busy, "0"), Value(reading, Metrics.System, "0")));
        Assert.Equal((25.0, 25.0), (Value(reading, Metrics.Busy, "1"), Value(reading, Metrics.System, "1")));
        Assert.Equal(0, Value(reading, Metrics.Busy, "2"));
        // A core whose time stands still is not idle: nobody knows.
        Assert.Null(Value(reading, Metrics.Busy, "3"));
        Assert.Equal((8192 * 512.0 / 2, 0.0), (Value(reading, Metrics.DiskRead, "mmcblk0"), Value(reading, Metrics.DiskWrite)));
        Assert.Equal(50, Value(reading, Metrics.DiskBusy, "mmcblk0"));
        Assert.Equal(Math.Round(200 / 30.0, 6), Value(reading, Metrics.DiskLatency, "mmcblk0"));
        Assert.Null(Value(reading, Metrics.DiskRead, "loop0"));
        Assert.Equal((1_000_000.0, 25_000.0), (Value(reading, Metrics.Receive, "eth0"), Value(reading, Metrics.Transmit)));
        Assert.Equal((2.0, 5.0), (Value(reading, Metrics.NetErrors), Value(reading, Metrics.NetDrops, "eth0")));
    }

    [Fact]
    public void A_disk_that_was_asked_nothing_has_no_latency()
    {
        _root.AddPi4();
        Sample();
        StatusReading reading = Sample(1);
        Assert.Null(Value(reading, Metrics.DiskLatency));
        Assert.Equal(0, Value(reading, Metrics.DiskRead));
    }

    [Fact]
    public void A_Pi_5_tells_of_its_fan_and_of_chips_that_measure()
    {
        _root.AddPi5();
        StatusReading reading = Sample();
        Assert.Equal(3012, Value(reading, Metrics.Fan));
        Assert.Equal(1.471, Value(reading, Metrics.Voltage, "rp1_adc in1"));
        Assert.Equal(51.2, Value(reading, Metrics.Temperature, "rp1_adc temp1"));
        Assert.Equal(39.85, Value(reading, Metrics.Temperature, "nvme Composite"));
        // The processor's, and only once: its zone shows itself as a monitor, too.
        Assert.Equal(48.312, Value(reading, Metrics.Temperature));
        Assert.DoesNotContain("temperature[cpu_thermal temp1]", reading.Values.Keys);
        Assert.Equal(0, Value(reading, Metrics.UnderVoltage));
    }

    [Fact]
    public void Two_chips_of_a_name_are_told_apart()
    {
        _root.AddPi5().File("sys/class/hwmon/hwmon12/name", "nvme\n").File("sys/class/hwmon/hwmon12/temp1_input", "61850\n")
            .File("sys/class/hwmon/hwmon12/temp1_label", "Composite\n");
        StatusReading reading = Sample();
        Assert.Equal((39.85, 61.85), (Value(reading, Metrics.Temperature, "nvme Composite"),
            Value(reading, Metrics.Temperature, "nvme-12 Composite")));
    }

    [Theory]
    [InlineData("0", "0000 0000")]
    [InlineData("50005", "1010 1010")]
    [InlineData("f0000", "0000 1111")]
    [InlineData("80008", "0001 0001")]
    [InlineData("2", "0100 0100")] // what is now has also been since boot
    [InlineData("nonsense", null)]
    [InlineData("", null)]
    [InlineData("100000000", null)] // more than 32 bits
    public void The_bits_of_throttling_are_told_one_by_one(string bits, string? told)
    {
        _root.AddLinux().AddThrottled("soc@107c000000", bits);
        StatusReading reading = Sample();
        string[] metrics =
        [
            Metrics.UnderVoltage, Metrics.Capped, Metrics.Throttled, Metrics.SoftLimit,
            Metrics.UnderVoltageSinceBoot, Metrics.CappedSinceBoot, Metrics.ThrottledSinceBoot, Metrics.SoftLimitSinceBoot,
        ];
        double?[] expected = [.. metrics.Select((_, i) => (double?)(told?.Replace(" ", "", StringComparison.Ordinal)[i] - '0'))];
        Assert.Equal(expected, metrics.Select(metric => Value(reading, metric)));
    }

    [Fact]
    public void A_bit_that_was_seen_once_stays_though_the_kernel_clears_it()
    {
        _root.AddLinux().AddThrottled("soc", "50005");
        Sample();
        _root.AddThrottled("soc", "0");
        StatusReading reading = Sample(1);
        Assert.Equal((0.0, 1.0, 1.0, 0.0), (Value(reading, Metrics.UnderVoltage), Value(reading, Metrics.UnderVoltageSinceBoot),
            Value(reading, Metrics.ThrottledSinceBoot), Value(reading, Metrics.CappedSinceBoot)));
    }

    [Fact]
    public void Where_only_the_driver_tells_of_low_voltage_what_was_before_is_unknown()
    {
        _root.AddPi3();
        File.Delete(Path.Combine(_root.Folder, "sys/devices/platform/soc/soc:firmware/get_throttled"));
        _root.File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
        StatusReading reading = Sample();
        Assert.Equal((0.0, null), (Value(reading, Metrics.UnderVoltage), Value(reading, Metrics.UnderVoltageSinceBoot)));
        Assert.Null(Value(reading, Metrics.Throttled));
        _root.File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
        Sample(1);
        _root.File("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
        reading = Sample(1);
        Assert.Equal((0.0, 1.0), (Value(reading, Metrics.UnderVoltage), Value(reading, Metrics.UnderVoltageSinceBoot)));
    }

    [Fact]
    public void The_firmwares_own_word_counts_for_more_than_the_kernels()
    {
        _root.AddPi5();
        _firmware.Answers["measure_clock arm"] = "frequency(0)=1200345728";
        _firmware.Answers["get_throttled"] = "throttled=0xe0006";
        _firmware.Answers["pmic_read_adc"] = "   3V7_WL_SW_A current(0)=0.09759800A\n   VDD_CORE_A current(7)=1.22563800A\n" +
            "  VDD_CORE_V volt(15)=0.72110100V\n     EXT5V_V volt(24)=5.04912000V\n      BATT_V volt(25)=0.00512820V\n";
        StatusReading reading = Sample();
        Assert.Equal((1200.345728, 1200.345728, 2400.0),
            (Value(reading, Metrics.Clock), Value(reading, Metrics.Clock, "2"), Value(reading, Metrics.NominalClock)));
        Assert.Equal((1.0, 1.0, 0.0, 1.0), (Value(reading, Metrics.Capped), Value(reading, Metrics.Throttled),
            Value(reading, Metrics.UnderVoltageSinceBoot), Value(reading, Metrics.SoftLimitSinceBoot)));
        Assert.Equal((5.04912, 0.721101), (Value(reading, Metrics.Voltage, "EXT5V"), Value(reading, Metrics.Voltage, "VDD_CORE")));
        Assert.Equal((1.225638, 0.097598), (Value(reading, Metrics.Current, "VDD_CORE"), Value(reading, Metrics.Current, "3V7_WL_SW")));

        _firmware.Answers["measure_clock arm"] = _firmware.Answers["get_throttled"] = "error=1 error_msg=\"Command not registered\"";
        reading = Sample(1);
        Assert.Equal((1500.0, 0.0, 1.0), (Value(reading, Metrics.Clock), Value(reading, Metrics.Throttled),
            Value(reading, Metrics.ThrottledSinceBoot)));
    }

    [Fact]
    public void A_core_that_goes_and_comes_has_no_value_meanwhile()
    {
        _root.AddPi4();
        Sample();
        _root.File("proc/stat", FakePi.Stat((1300, 200, 8600), (800, 50, 4100)));
        StatusReading away = Sample(1);
        Assert.NotNull(Value(away, Metrics.Busy, "0"));
        Assert.Null(Value(away, Metrics.Busy, "2"));
        _root.File("proc/stat", FakePi.Stat((1400, 200, 8600), (900, 50, 4100), (201, 125, 2300), (1, 0, 0)));
        StatusReading back = Sample(1);
        Assert.NotNull(Value(back, Metrics.Busy, "0"));
        Assert.Null(Value(back, Metrics.Busy, "2"));
        _root.File("proc/stat", FakePi.Stat((1400, 200, 8700), (900, 50, 4200), (201, 125, 2300), (51, 0, 50)));
        Assert.Equal(50, Value(Sample(1), Metrics.Busy, "2"));
    }

    [Theory]
    [InlineData(4_294_900_000, 32_704, 100_000.0)] // 32 bits have run over
    [InlineData(3_000_000_000, 5_000, null)] // started anew
    [InlineData(8_000_000_000, 100, null)]
    public void A_counter_that_falls_has_run_over_or_says_nothing(ulong before, ulong now, double? rate)
    {
        _root.AddPi4().AddTraffic("eth0", before, 0);
        Sample();
        _root.AddTraffic("eth0", now, 0);
        Assert.Equal(rate, Value(Sample(1), Metrics.Receive, "eth0"));
    }

    [Fact]
    public void What_is_plugged_in_or_pulled_out_is_noticed()
    {
        _root.AddPi4().File("sys/block/sda/size", "1000\n").File("sys/block/sda/stat", FakePi.DiskStat(1, 1, 1, 1, 1, 1, 1))
            .File("sys/block/sda/device/ioerr_cnt", "0x1f\n");
        Sample();
        StatusReading reading = Sample(1);
        Assert.Equal((0.0, 31.0), (Value(reading, Metrics.DiskRead, "sda"), Value(reading, Metrics.DiskErrors, "sda")));
        Assert.Null(Value(reading, Metrics.DiskErrors, "mmcblk0"));
        Directory.Delete(Path.Combine(_root.Folder, "sys/block/sda"), recursive: true);
        Directory.Delete(Path.Combine(_root.Folder, "sys/class/net/eth0"), recursive: true);
        Directory.Delete(Path.Combine(_root.Folder, "sys/class/thermal"), recursive: true);
        _root.AddWired("eth1", 2500);
        Sample(10);
        reading = Sample(1);
        Assert.DoesNotContain(reading.Values.Keys, key => MetricKey.PartOf(key) is "sda" or "eth0");
        Assert.Equal(2500, Value(reading, Metrics.LinkSpeed));
        Assert.Equal(0, Value(reading, Metrics.Receive, "eth1"));
        Assert.Null(Value(reading, Metrics.Temperature, "cpu-thermal"));
    }

    [Fact]
    public void The_speed_of_a_link_is_told_where_there_is_one_and_at_once_when_it_changes()
    {
        _root.AddPi4().AddWired("eth1", -1).AddWired("eth2", 100).File("sys/class/net/eth2/carrier", "0\n");
        StatusReading reading = Sample();
        Assert.Equal((1000.0, null, null, 1000.0), (Value(reading, Metrics.LinkSpeed, "eth0"), Value(reading, Metrics.LinkSpeed, "eth1"),
            Value(reading, Metrics.LinkSpeed, "eth2"), Value(reading, Metrics.LinkSpeed)));
        _root.File("sys/class/net/eth0/speed", "100\n").File("sys/class/net/eth0/carrier_changes", "4\n");
        Assert.Equal(100, Value(Sample(1), Metrics.LinkSpeed));
    }

    [Fact]
    public void Wear_of_an_eMMC_is_the_worse_of_its_two_estimates()
    {
        _root.AddPi4().File("sys/block/mmcblk0/device/life_time", "0x02 0x04\n").File("sys/block/mmcblk0/device/type", "MMC\n");
        Assert.Equal(40, Value(Sample(), Metrics.CardWear, "mmcblk0"));
    }

    [Fact]
    public void A_machine_without_anything_has_nothing_to_tell()
    {
        StatusReading reading = Sample();
        Assert.Empty(reading.Values);
        Assert.Empty(reading.Facts);
        Assert.Empty(Sample(1).Values);
    }

    [Fact]
    public void The_offset_of_its_clock_is_what_the_caller_says()
    {
        using var sampler = new StatusSampler(_root.Folder, _clock, _firmware);
        Assert.Equal(-2.5, sampler.Sample(withProcesses: false, clockOffset: -2.5).Values[Metrics.ClockOffset]);
        Assert.DoesNotContain(Metrics.ClockOffset, sampler.Sample(withProcesses: false).Values.Keys);
    }
}
