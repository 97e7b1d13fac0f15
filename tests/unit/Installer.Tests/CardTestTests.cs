namespace Bootstrap.Installer.Tests;

/// <summary>Cards that are what they say, and those that are not.</summary>
public sealed class CardTestTests
{
    private const long Start = IdentityRecord.End;

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sound_card_is_written_and_read_once_but_for_its_beginning_and_its_speed_is_told()
    {
        var card = new MemoryDisk((9 << 20) + 512); // no whole number of blocks, nor of pages
        card.Content.AsSpan(0, (int)Start).Fill(0x5a);
        long done = 0;
        string line = await TestAsync(card, bytes => Interlocked.Add(ref done, bytes));
        Assert.Matches(@"^/dev/vda gives back what is written to it: 8 MB were written at \d+ MB/s and read at \d+ MB/s$", line);
        Assert.Equal((8 << 20, 16 << 20), (card.BytesWritten, done));
        Assert.False(card.Content.AsSpan(0, (int)Start).ContainsAnyExcept((byte)0x5a));
        Assert.Equal(0, card.Content[^1]);
    }

    [Theory]
    [InlineData(12, 40)] // what is written beyond lands in what is there already, several times over
    [InlineData(20, 40)] // twice exactly
    [InlineData(24, 40)] // once, and not for all of it
    [InlineData(13, 39)]
    public async Task A_card_that_is_smaller_than_it_claims_is_found_with_its_true_size(int trueMegabytes, int claimedMegabytes)
    {
        var card = new FakeCard(trueMegabytes, claimedMegabytes);
        InstallException fault = await Assert.ThrowsAsync<InstallException>(() => TestAsync(card));
        Assert.StartsWith($"/dev/vda has {trueMegabytes} MB and not the {claimedMegabytes} MB that it claims: from 1048576 comes back " +
            "what was written to ", fault.Message);
        Assert.True(fault.Final);
    }

    [Fact]
    public async Task A_cell_that_loses_what_it_is_given_is_named()
    {
        var card = new MemoryDisk(16 << 20) { DeadByte = 9_000_001 };
        InstallException fault = await Assert.ThrowsAsync<InstallException>(() => TestAsync(card));
        Assert.Equal("/dev/vda does not give back what was written to it, at 8998912 of 16777216 bytes. Replace the card.", fault.Message);
        Assert.True(fault.Final);
    }

    [Fact]
    public async Task What_an_earlier_test_has_left_is_no_proof()
    {
        var card = new MemoryDisk(8 << 20);
        await TestAsync(card);
        InstallException fault = await Assert.ThrowsAsync<InstallException>(() => TestAsync(new Deaf(card)));
        Assert.Contains("does not give back what was written to it", fault.Message);
    }

    private static async Task<string> TestAsync(IBlockDevice card, Action<long>? done = null)
    {
        using var threads = new DeviceThreads("card");
        return await new CardTest(card, threads, Start, TimeProvider.System).RunAsync(done ?? (_ => { }), s_end);
    }

    /// <summary>It claims more than it has: behind its end it begins from the front.</summary>
    private sealed class FakeCard(int megabytes, int claimedMegabytes) : IBlockDevice
    {
        private readonly Lock _lock = new();
        private readonly byte[] _content = new byte[megabytes * 1_000_000 / CardTest.PageBytes * CardTest.PageBytes];

        public string Name => "/dev/vda";

        public long Size => claimedMegabytes * 1_000_000L;

        public void Read(long offset, Span<byte> buffer) => EachPage(offset, buffer.Length, (at, page) =>
            _content.AsSpan(at, CardTest.PageBytes).CopyTo(page), buffer);

        public void Write(long offset, ReadOnlySpan<byte> data) => EachPage(offset, data.Length, (at, page) =>
            page.CopyTo(_content.AsSpan(at)), data.ToArray());

        public void Flush()
        {
        }

        public void Discard(long offset, long length)
        {
        }

        public void Dispose()
        {
        }

        private void EachPage(long offset, int length, PageAction action, Span<byte> buffer)
        {
            using Lock.Scope one = _lock.EnterScope();
            for (int page = 0; page < length; page += CardTest.PageBytes)
            {
                action((int)((offset + page) % _content.Length), buffer.Slice(page, CardTest.PageBytes));
            }
        }

        private delegate void PageAction(int at, Span<byte> page);
    }

    /// <summary>It takes what is written, and keeps what it had.</summary>
    private sealed class Deaf(MemoryDisk card) : IBlockDevice
    {
        public string Name => card.Name;

        public long Size => card.Size;

        public void Read(long offset, Span<byte> buffer) => card.Read(offset, buffer);

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
        }

        public void Flush()
        {
        }

        public void Discard(long offset, long length)
        {
        }

        public void Dispose()
        {
        }
    }
}
