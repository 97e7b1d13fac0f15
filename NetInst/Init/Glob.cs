namespace Bootstrap.Init;

/// <summary>Patterns of modules.alias as fnmatch(3) takes them: <c>*</c>, <c>?</c> and <c>[a-f]</c>.</summary>
public static class Glob
{
    /// <summary>True if the whole text matches. Runs in time proportional to the product of the lengths, whatever the pattern.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0;
        // Where the last star stood, and how far the text was when it last gave way.
        int star = -1, resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = t;
            }
            else if (p < pattern.Length && MatchesOne(pattern, ref p, text[t]))
            {
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++resume;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }
        return p == pattern.Length;
    }

    /// <summary>Matches one character and moves on in the pattern; a bracket that is never closed matches itself.</summary>
    private static bool MatchesOne(ReadOnlySpan<char> pattern, ref int p, char c)
    {
        int close = pattern[p] == '[' ? pattern[(p + 1)..].IndexOf(']') : -1;
        if (close < 0)
        {
            bool same = pattern[p] == '?' || pattern[p] == c;
            p++;
            return same;
        }
        ReadOnlySpan<char> set = pattern.Slice(p + 1, close);
        p += close + 2;
        for (int i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                if (c >= set[i] && c <= set[i + 2])
                {
                    return true;
                }
                i += 2;
            }
            else if (set[i] == c)
            {
                return true;
            }
        }
        return false;
    }
}
