using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Jobs.Kinds;
using Bootstrap.Server.Features.Jobs.Tasks;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Dapper;

namespace Bootstrap.Server.Features.Benchmarks;

/// <summary>
/// Keeps what nodes have measured: a result comes with the end of its task, and is kept before the task ends. Results outlive their nodes
/// and jobs; of one node and benchmark the newest are kept.
/// </summary>
internal sealed class BenchmarkStore(Database database) : ILinkFeature
{
    /// <summary>Of one node, and of one benchmark with the same parameters.</summary>
    public const int Kept = 100;

    /// <summary>A list has no more than these.</summary>
    public const int MostListed = 5000;

    private const string Columns =
        "task_id AS Task, job_id AS Job, node_id AS Node, node_name AS NodeName, model AS Model, request AS Request, median AS Median, " +
        "mad AS Mad, low AS Low, high AS High, steady AS Steady, faults AS Faults, started_at AS StartedAt, peer AS Peer";

    private sealed record Row(
        string Task, string Job, string Node, string NodeName, string Model, string Request, double Median, double Mad, double Low,
        double High, long Steady, string Faults, long StartedAt, string Peer);

    public void Introduced(LinkSession session)
    {
        // Nodes speak of results when they have some.
    }

    public bool Heard(LinkSession session, LinkMessage message)
    {
        if (message is TaskEnded { Succeeded: true, Benchmark: { } result } ended &&
            database.Read(c => TaskRow.Find(c, ended.TaskId)) is { Kind: BenchmarkJobKind.Name, EndedAt: null } task &&
            task.Node == session.Node && BenchmarkJobKind.IsAnswer(task, result))
        {
            Keep(task, result);
        }
        return false; // the task ends by it
    }

    /// <summary>The newest first.</summary>
    /// <param name="kind">Of this benchmark alone.</param>
    /// <param name="node">Of this node alone.</param>
    /// <param name="job">Of this job alone.</param>
    public IReadOnlyList<BenchmarkView> List(string? kind, NodeId? node, Guid? job) => database.Read(c => c.Query<Row>($"""
        SELECT {Columns} FROM benchmark_results
        WHERE (@kind IS NULL OR kind = @kind) AND (@node IS NULL OR node_id = @node) AND (@job IS NULL OR job_id = @job)
        ORDER BY started_at DESC, task_id LIMIT {MostListed}
        """, new { kind, node = node?.ToString(), job = job?.ToString() }).Select(View).ToList());

    /// <summary>All of one result; null: there is none.</summary>
    public BenchmarkDetails? Find(Guid task)
    {
        (Row? row, string? json) = database.Read(c => (
            c.QuerySingleOrDefault<Row>($"SELECT {Columns} FROM benchmark_results WHERE task_id = @task", new { task = $"{task}" }),
            c.ExecuteScalar<string>("SELECT result FROM benchmark_results WHERE task_id = @task", new { task = $"{task}" })));
        if (row is null || json is null)
        {
            return null;
        }
        BenchmarkResult result = JsonSerializer.Deserialize(json, ProtocolJson.Default.BenchmarkResult)!;
        return new BenchmarkDetails(
            View(row), result.Machine, result.Samples, result.Moments, result.Counters, result.WaitedSeconds, result.Seconds);
    }

    private void Keep(TaskRow task, BenchmarkResult result)
    {
        string request = JsonSerializer.Serialize(Canonical(result.Request), ProtocolJson.Default.BenchmarkRequest);
        database.Write(c =>
        {
            c.Execute("""
                INSERT OR REPLACE INTO benchmark_results
                    (task_id, job_id, node_id, node_name, model, kind, request, median, mad, low, high, steady, faults, started_at, peer,
                     result)
                VALUES (@Id, @JobId, @NodeId, @NodeName, @model, @kind, @request, @median, @mad, @low, @high, @steady, @faults, @at, @peer,
                        @json)
                """, new
            {
                task.Id,
                task.JobId,
                task.NodeId,
                task.NodeName,
                model = result.Machine.Model,
                kind = result.Request.Kind,
                request,
                median = result.Median,
                mad = result.Mad,
                low = result.Low,
                high = result.High,
                steady = result.IsSteady,
                faults = JsonSerializer.Serialize(result.Faults, ApiJson.Options),
                at = result.StartedAt,
                peer = result.Peer,
                json = JsonSerializer.Serialize(result, ProtocolJson.Default.BenchmarkResult),
            });
            c.Execute($"""
                DELETE FROM benchmark_results WHERE node_id = @NodeId AND request = @request AND task_id NOT IN
                    (SELECT task_id FROM benchmark_results WHERE node_id = @NodeId AND request = @request
                     ORDER BY started_at DESC, task_id LIMIT {Kept})
                """, new { task.NodeId, request });
        });
    }

    /// <summary>What is the same is written the same.</summary>
    private static BenchmarkRequest Canonical(BenchmarkRequest request) => request with
    {
        Parameters = request.Parameters.OrderBy(p => p.Key, StringComparer.Ordinal).ToDictionary(),
    };

    private static BenchmarkView View(Row row)
    {
        BenchmarkRequest request = JsonSerializer.Deserialize(row.Request, ProtocolJson.Default.BenchmarkRequest)!;
        return new BenchmarkView(Guid.Parse(row.Task), Guid.Parse(row.Job), NodeId.Parse(row.Node), row.NodeName, row.Model, request,
            BenchmarkKind.Find(request.Kind)?.Unit ?? "", row.Median, row.Mad, row.Low, row.High, row.Steady != 0,
            JsonSerializer.Deserialize<IReadOnlyList<BenchmarkFault>>(row.Faults, ApiJson.Options)!, row.StartedAt)
        {
            Peer = row.Peer,
        };
    }
}
