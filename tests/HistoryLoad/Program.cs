using System.Globalization;
using Bootstrap.HistoryLoad;
using Bootstrap.Server.Features.Monitoring.History;
using Bootstrap.Support;
using Microsoft.Extensions.Logging.Abstractions;

// What many boards measure, by a clock that does not wait, for the history as the appliance keeps it.
//   history-load measure FILE BOARDS DAYS    30 days take minutes; prints "NAME VALUE" lines
//   history-load feed FILE BOARDS            a minute after the other, until it is killed; prints each that is kept, as Unix time / 60
return args switch
{
    ["measure", var file, var boards, var days] => Measure(file, Number(boards), Number(days)),
    ["feed", var file, var boards] => Feed(file, Number(boards)),
    _ => Usage(),
};

static int Measure(string path, int count, int days)
{
    var clock = new SettableClock { Now = new DateTimeOffset(2026, 3, 31, 17, 40, 0, TimeSpan.Zero).AddDays(-days) };
    using var store = new HistoryStore(path, clock, NullLogger<HistoryStore>.Instance);
    store.Open();
    var load = new Load(store, clock, count);
    long fine = clock.Now.AddDays(days).AddHours(-25).ToUnixTimeSeconds() / 60, end = clock.Now.AddDays(days).ToUnixTimeSeconds() / 60;
    for (long minute = clock.Now.ToUnixTimeSeconds() / 60; minute < end; minute++)
    {
        // Of what is quarters in the end, one minute of each is enough.
        if (minute >= fine || minute % 15 == 0)
        {
            load.Live(minute);
        }
    }
    Print("size", new[] { path, path + "-wal", path + "-shm" }.Sum(file => new FileInfo(file).Length) / 1e6);
    load.Query();
    Print("flush", load.LongestFlush);
    Print("fold", load.LongestFold);
    Print("sweep", load.LongestSweep);
    return 0;
}

static int Feed(string path, int count)
{
    var clock = new SettableClock();
    using var store = new HistoryStore(path, clock, NullLogger<HistoryStore>.Instance);
    store.Open();
    var load = new Load(store, clock, count);
    for (long minute = clock.Now.ToUnixTimeSeconds() / 60; ; minute++)
    {
        load.Live(minute);
        Console.WriteLine(minute.ToString(CultureInfo.InvariantCulture));
    }
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static void Print(string name, double value) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.00}"));

static int Usage()
{
    Console.Error.WriteLine("history-load: called by tests/bench/run and by tests");
    return 2;
}
