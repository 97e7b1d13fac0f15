using System.Text;

namespace Bootstrap.Cli;

/// <summary>What is typed on the terminal without being shown.</summary>
internal static class HiddenInput
{
    private static readonly TimeSpan s_keyPeriod = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks a question, and waits for the answer.</summary>
    /// <returns>Null: the user has interrupted it.</returns>
    public static string? Ask(string question, CancellationToken interrupted)
    {
        // The first look at the keyboard ends its echo: before the question, so that no quick answer is shown.
        _ = Console.KeyAvailable;
        Console.Error.Write($"{question}: ");
        var typed = new StringBuilder();
        try
        {
            while (true)
            {
                while (!Console.KeyAvailable)
                {
                    if (interrupted.WaitHandle.WaitOne(s_keyPeriod))
                    {
                        return null;
                    }
                }
                ConsoleKeyInfo key = Console.ReadKey(intercept: true);
                if (key.Key == ConsoleKey.Enter)
                {
                    return typed.ToString();
                }
                if (key.Key == ConsoleKey.Backspace)
                {
                    typed.Length = Math.Max(0, typed.Length - 1);
                }
                else if (key.KeyChar != '\0')
                {
                    typed.Append(key.KeyChar);
                }
            }
        }
        finally
        {
            Console.Error.WriteLine();
        }
    }
}
