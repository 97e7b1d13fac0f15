using Bootstrap.Benchmarks.Kernels;

namespace Bootstrap.Benchmarks.Tests;

/// <summary>Scratch files on this machine's disk.</summary>
public sealed class CardTests : IDisposable
{
    private readonly string _folder =
        Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, $"card-{Guid.NewGuid():N}")).FullName;

    public void Dispose() => Directory.Delete(_folder);

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void What_was_written_is_there_and_the_file_has_no_name(bool isWriting, bool isRandom)
    {
        using var card = new CardAccess(_folder, 4 << 20, isWriting, isRandom);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        // Beyond the end of the file, where it begins anew.
        Assert.Equal(isRandom ? 100 : 100 << 20, card.Run(100));
        card.Verify();
    }

    /// <summary>A card that keeps what was there before, as worn ones do.</summary>
    [Fact]
    public void A_page_that_is_an_older_one_is_found_out_as_it_is_read()
    {
        using var card = new CardAccess(_folder, 4 << 20, isWriting: false, isRandom: false);
        RandomAccess.SetLength(card.File, 0);
        RandomAccess.SetLength(card.File, 4 << 20);
        Assert.Contains("page 0 of the scratch file", Assert.Throws<WrongResultException>(() => card.Run(1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_of_which_a_part_is_lost_is_found_out_at_the_end()
    {
        using var card = new CardAccess(_folder, 4 << 20, isWriting: true, isRandom: false);
        card.Run(4);
        using (var damage = new Board.AlignedBuffer(4 << 20))
        {
            RandomAccess.Read(card.File, damage.Span, 0);
            for (int page = 0; page < 1024; page++)
            {
                damage.Span[(page * 4096) + 4095] ^= 1;
            }
            RandomAccess.Write(card.File, damage.Span, 0);
        }
        Assert.Throws<WrongResultException>(card.Verify);
    }

    [Fact]
    public void A_folder_in_memory_is_refused_by_name()
    {
        string memory = Directory.CreateDirectory($"/dev/shm/card-{Guid.NewGuid():N}").FullName;
        try
        {
            IOException refused = Assert.Throws<IOException>(() => new CardAccess(memory, 4 << 20, isWriting: false, isRandom: false));
            Assert.Equal($"{memory} is in memory: there is no card to measure there", refused.Message);
            Assert.Empty(Directory.EnumerateFileSystemEntries(memory));
        }
        finally
        {
            Directory.Delete(memory);
        }
    }
}
