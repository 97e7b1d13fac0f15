using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>What users name by an id or a name: the beginning of an id is enough where no other one begins so.</summary>
internal static class ByWord
{
    /// <summary>A name is seldom meant by less of a digest than this.</summary>
    private const int LeastDigest = 4;

    /// <summary>So many are named where a word fits several.</summary>
    private const int MostNamed = 5;

    /// <summary>The job of that id.</summary>
    /// <exception cref="CliException">There is none, or there are several.</exception>
    public static async Task<Guid> JobAsync(ApplianceClient client, string word, CancellationToken cancellation) =>
        Guid.TryParse(word, out Guid id) ? id : Pick(
            await client.GetAsync<IReadOnlyList<Job>>($"jobs?id={Uri.EscapeDataString(word)}&limit={MostNamed + 1}", cancellation),
            word, "job", "jobs list", j => j.Id.ToString(), j => $"{j.Kind} of {Output.Time(j.CreatedAt)}").Id;

    /// <summary>The image of that name or digest; of several with one name, the newest.</summary>
    /// <exception cref="CliException">There is none, or there are several.</exception>
    public static async Task<Image> ImageAsync(ApplianceClient client, string word, CancellationToken cancellation)
    {
        IReadOnlyList<Image> all = await client.GetAsync<IReadOnlyList<Image>>("images", cancellation);
        return all.FirstOrDefault(i => i.Name == word) ?? Pick(all, word, "image", "images list", i => i.Digest, i => i.Name, LeastDigest);
    }

    /// <summary>The file of that name or digest.</summary>
    /// <exception cref="CliException">There is none, or there are several.</exception>
    public static async Task<StoredFile> FileAsync(ApplianceClient client, string word, CancellationToken cancellation)
    {
        IReadOnlyList<StoredFile> all = await client.GetAsync<IReadOnlyList<StoredFile>>("files", cancellation);
        return all.FirstOrDefault(f => f.Name == word) ?? Pick(all, word, "file", "files list", f => f.Digest, f => f.Name, LeastDigest);
    }

    /// <summary>The one whose id begins so.</summary>
    /// <param name="what">One of them is called.</param>
    /// <param name="list">The command that shows them.</param>
    /// <param name="describe">What users know it by, beside its id.</param>
    /// <param name="least">Fewer characters are no beginning.</param>
    /// <exception cref="CliException">There is none, or there are several.</exception>
    public static T Pick<T>(IEnumerable<T> items, string word, string what, string list, Func<T, string> id, Func<T, string> describe,
        int least = 1)
    {
        T[] found = word.Length < least ? [] : [.. items.Where(i => id(i).StartsWith(word, StringComparison.OrdinalIgnoreCase))];
        return found.Length == 1 ? found[0]
            : found.FirstOrDefault(i => id(i).Length == word.Length) is { } exact ? exact
            : found.Length == 0 ? throw new CliException($"there is no {what} '{word}': see `bootstrap {list}`")
            : throw new CliException($"several {what}s begin with '{word}': " +
                string.Join(", ", found.Take(MostNamed).Select(i => $"{id(i)} ({describe(i)})")) +
                (found.Length > MostNamed ? " and more" : ""));
    }
}
