using Microsoft.AspNetCore.Http;

namespace Bootstrap.Server.Http;

/// <summary>Refusals of the API (RFC 9457): one sentence that says what, where, and what to do.</summary>
internal static class Problems
{
    public static IResult Bad(string sentence) => Results.Problem(sentence, statusCode: StatusCodes.Status400BadRequest);

    public static IResult NotFound(string sentence) => Results.Problem(sentence, statusCode: StatusCodes.Status404NotFound);

    public static IResult Conflict(string sentence) => Results.Problem(sentence, statusCode: StatusCodes.Status409Conflict);

    public static IResult Gone(string sentence) => Results.Problem(sentence, statusCode: StatusCodes.Status410Gone);

    /// <summary>The disk has no room for it, or does not work.</summary>
    public static IResult Disk(Storage.DataDisk disk) =>
        Results.Problem(disk.Sentence, statusCode: disk.Condition == Storage.DiskCondition.Failing
        ? StatusCodes.Status503ServiceUnavailable
        : StatusCodes.Status507InsufficientStorage);

    /// <summary>The caller's credential has ended while he was asking.</summary>
    public static IResult Ended() =>
        Results.Problem("What you are signed in with has ended: sign in again.", statusCode: StatusCodes.Status401Unauthorized);
}
