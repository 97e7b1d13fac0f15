using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bootstrap.Server.Features.Link;

/// <summary>
/// Boards ask to be admitted. The join token came with this appliance's boot files, which anybody on the wire can read: it allows to ask,
/// and nothing
/// else. A board gets its certificate when its key is tied to a node; until then it waits and asks again.
/// </summary>
internal sealed class EnrolmentEndpoint(
    Database database, CertificateAuthority authority, NodeKeys keys, UnapprovedBoards unapproved, NodeDirectory nodes,
    Approvals approvals, StrangerNotices notices,
    PolicyStore policy, NoiseCounter noise, AskBudget asks, JoinToken joinToken)
{
    /// <summary>Bytes of a request: a PC with 64 disks has half of that.</summary>
    private const int MaximumBytes = 32 << 10;

    private readonly byte[] _joinToken = Encoding.UTF8.GetBytes(joinToken.Text);

    public static void Map(IEndpointRouteBuilder link) =>
        link.MapPost(EnrolRequest.Path, (EnrolmentEndpoint endpoint, HttpContext context) => endpoint.EnrolAsync(context));

    private async Task<IResult> EnrolAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } request)
        {
            noise.Count("enrolment");
            return Results.Problem("The body is not an enrolment request.", statusCode: StatusCodes.Status400BadRequest);
        }
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(request.JoinToken), _joinToken))
        {
            return Results.Problem("The join token is not this appliance's: start the board from this appliance's boot files.",
                statusCode: StatusCodes.Status403Forbidden);
        }
        Inventory inventory = request.Inventory.Bounded();
        if (inventory.Id.ToString().StartsWith(Protocol.Trust.ApplianceIdPrefix, StringComparison.Ordinal))
        {
            return Results.Problem($"No board can be called '{inventory.Id}'.", statusCode: StatusCodes.Status400BadRequest);
        }
        IPAddress address = Sources.Plain(context.Connection.RemoteIpAddress);
        PublicKey? claimed = CertificateAuthority.KeyOf(request.CertificateRequest, isClaim: true);
        bool isNode = claimed is not null && keys.Find(Protocol.Trust.FingerprintOf(claimed)) == inventory.Id;
        if (!isNode && asks.PauseOf(address) is { } pause)
        {
            return Json(Wait("this address asks more often than it was told to", pause));
        }
        PublicKey? key = CertificateAuthority.KeyOf(request.CertificateRequest);
        EnrolResponse? answer = key is null ? null : Answer(key, inventory, address.ToString());
        if (answer is not { Certificate.Length: > 0 })
        {
            asks.Charge(address, answer?.RetryAfterSeconds ?? UnapprovedBoards.RetrySeconds(unapproved.Count));
        }
        return answer is null
            ? Results.Problem("The certificate request is not a sound PKCS #10 request for an ECDSA P-256 key.",
                statusCode: StatusCodes.Status400BadRequest)
            : Json(answer);
    }

    private EnrolResponse Answer(PublicKey key, Inventory inventory, string address)
    {
        Digest fingerprint = Protocol.Trust.FingerprintOf(key);
        if (keys.Find(fingerprint) == inventory.Id && keys.IsFresh(inventory.Id))
        {
            return Certify(inventory.Id, key);
        }
        NodeRow? row = database.Read(c => NodeRow.Find(c, inventory.Id));
        bool known = row is not null;
        if (IsForPolicy(row, fingerprint) && policy.Get().ApproveNewBoards && keys.Count < Approvals.MaximumByPolicy)
        {
            Digest? before = row?.Key is { } has ? Digest.Parse(has) : null;
            approvals.Approve([(new UnapprovedBoard(fingerprint, inventory, key, address), before)], Approvals.Policy);
            // Two that came in one moment with one name: the second is a stranger.
            return keys.Find(fingerprint) == inventory.Id ? Certify(inventory.Id, key)
                : Wait("another board has just taken this name", UnapprovedBoards.RetrySeconds(0));
        }
        string reason = keys.Find(fingerprint) is { } holder
            ? holder == inventory.Id ? Unrenewed(row) : $"its card is that of node {holder}, and it is another board"
            : known ? $"another key is known as {inventory.Id}" : "new board";
        if (unapproved.Add(key, inventory, address, reason, out bool isNews) is not { } board)
        {
            return Wait("no room: the appliance's page lists as many boards as it can, or this one was rejected there",
                UnapprovedBoards.LongestRetrySeconds);
        }
        if (isNews)
        {
            notices.Note(board, known);
        }
        return Wait($"{reason}; approve the board with key {fingerprint.ToString()[..16]} on the appliance's page",
            UnapprovedBoards.RetrySeconds(unapproved.Count));
    }

    /// <summary>
    /// A board that is new; or one that the policy has taken, that has nothing yet which any new board would not get, and that was
    /// restarted before its first
    /// installation began: until then its key is in memory alone.
    /// </summary>
    private bool IsForPolicy(NodeRow? row, Digest key) =>
        keys.Find(key) is null && !keys.IsRevoked(key) && !unapproved.IsRejected(key) &&
        (row is null || (row is { Lifecycle: Lifecycle.New, KeyBy: Approvals.Policy, InstallId: null, Image: null }
            && nodes.Session(row.NodeId) is null));

    /// <summary>Why a node's own key gets no certificate without a person.</summary>
    private static string Unrenewed(NodeRow? row) => row?.KeyAt is { } at
        ? string.Create(CultureInfo.InvariantCulture,
            $"its key was tied to it on {DateTimeOffset.FromUnixTimeMilliseconds(at):yyyy-MM-dd} and not renewed since, as that of a " +
                $"node that was off for long")
        : "its key is from an earlier version of the appliance, which did not note since when: approve it once";

    private EnrolResponse Certify(NodeId node, PublicKey key)
    {
        string name = database.Read(c => NodeRow.Find(c, node))?.Name ?? node.ToString();
        using X509Certificate2 certificate = authority.IssueNode(node, name, key);
        return new EnrolResponse(certificate.RawData, "", 0);
    }

    private static EnrolResponse Wait(string reason, int seconds) => new([], reason, seconds);

    private static async Task<EnrolRequest?> ReadAsync(HttpContext context)
    {
        // Bounded before it is parsed, whatever the length that was announced.
        byte[] body = new byte[MaximumBytes + 1];
        int length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        try
        {
            return length > MaximumBytes ? null : JsonSerializer.Deserialize(body.AsSpan(0, length), ProtocolJson.Default.EnrolRequest);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }

    private static IResult Json(EnrolResponse response) =>
        Results.Bytes(JsonSerializer.SerializeToUtf8Bytes(response, ProtocolJson.Default.EnrolResponse), "application/json");
}
