using Bootstrap.Server.Features.Jobs.Kinds;

namespace Bootstrap.Server.Features.Jobs.Tasks;

/// <summary>How far a task is on its whole way: what every bar shows, of one task or of several together.</summary>
internal static class TaskFraction
{
    /// <inheritdoc cref="Of(IReadOnlyDictionary{string, ValueTuple{double, double}}, TaskState, string, long, long)"/>
    public static double? Of(TaskRow task, TaskMeasure measure) =>
        Of(TaskKind.Of(task).Way(task), task.State, task.Phase, measure.Done, measure.Total);

    /// <summary>0 to 1, and never less when a phase ends; null: nobody knows.</summary>
    /// <param name="way">Of its kind; null: its phases say nothing of the whole.</param>
    /// <param name="done">Of <paramref name="total"/>, within the phase; a total of 0: it has no measure.</param>
    public static double? Of(
        IReadOnlyDictionary<string, (double From, double To)>? way, TaskState state, string phase, long done, long total)
    {
        double? inPhase = total > 0 ? Math.Min(1, (double)done / total) : null;
        if (state == TaskState.Succeeded)
        {
            return 1;
        }
        if (way is null)
        {
            return inPhase is { } part ? Math.Round(part, 4) : null;
        }
        (double from, double to) = way.GetValueOrDefault(phase);
        return Math.Round(from + ((to - from) * (inPhase ?? 0)), 4);
    }
}
