using System.Text.Json;
using System.Text.RegularExpressions;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Bootstrap.Server.Http;

/// <summary>What a request's body lacks, or has in a form that is not understood, is told with its place; and that the disk
/// is full or fails.</summary>
internal sealed partial class BadRequests(DataDisk disk) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (disk.Note(exception))
        {
            await Problems.Disk(disk).ExecuteAsync(context);
            return true;
        }
        if (exception is not BadHttpRequestException bad)
        {
            return false;
        }
        IResult result = bad.StatusCode != StatusCodes.Status400BadRequest ? Results.Problem(statusCode: bad.StatusCode)
            : bad.InnerException is JsonException json ? Problems.Bad(Sentence(json))
            : Problems.Bad(bad.Message);
        await result.ExecuteAsync(context);
        return true;
    }

    private static string Sentence(JsonException e)
    {
        string place = e.Path is null or "$" ? "the body" : e.Path.StartsWith("$.", StringComparison.Ordinal) ? e.Path[2..] : e.Path;
        string[] missing = [.. Missing().Matches(e.Message).Select(m => m.Value)];
        return e.Message.Contains("missing required properties", StringComparison.Ordinal)
            ? $"In {place}, {string.Join(" and ", missing.Skip(1))} must be given."
            : $"In {place}, what was given is not understood.";
    }

    [GeneratedRegex("'[^']+'")]
    private static partial Regex Missing();
}
