import { useCallback, useState } from "preact/hooks";
import { api } from "../api/client";
import type { JobKind, LogLine, NodeView } from "../api/types";
import { Ago } from "../components/Ago";
import { Allowed } from "../components/Allowed";
import { LifecycleBadge, LinkBadge, MarkBadge } from "../components/Badge";
import { LogView } from "../components/LogView";
import { Empty } from "../components/Notice";
import { startInstall } from "../state/installDraft";
import { statusOf } from "../state/status";
import { nodes, snapshot } from "../state/store";
import { Approvals } from "./node/Approval";
import { BenchmarksPart } from "./node/Benchmarks";
import { BootPart } from "./node/Boot";
import { BurnInPart } from "./node/BurnIn";
import { ChangesPart, Unseen } from "./node/Changes";
import { CurrentTask } from "./node/CurrentTask";
import { ForgetDialog } from "./node/ForgetDialog";
import { HealthPart, InventoryPart } from "./node/Inventory";
import { JobsPart, LastFailure, useNodeJobs } from "./node/Jobs";
import { LabelsPart } from "./node/Labels";
import { LocateButton } from "./node/Locate";
import { NodeName } from "./node/NodeName";
import { StatusPart } from "./node/Status";
import { DeployDialog } from "./nodes/DeployDialog";
import { PowerDialog } from "./nodes/PowerDialog";
import { RunDialog, UpdateDialog } from "./nodes/WorkDialogs";

export function NodePage({ id }: { id: string }) {
  const node = nodes.value.find((n) => n.id === id || n.name === id);
  if (node === undefined) {
    return (
      <Empty title={`There is no node '${id}'`}>
        <p>
          It was never seen, or it was forgotten. <a href="/nodes">All nodes</a>
        </p>
      </Empty>
    );
  }
  return <OneNode node={node} />;
}

function OneNode({ node }: { node: NodeView }) {
  const [dialog, setDialog] = useState<JobKind | "forget" | null>(null);
  const close = () => setDialog(null);
  const jobs = useNodeJobs(node);
  const board = [...snapshot.value.boards.values()].find((b) => b.node === node.id);
  const read = useCallback(() => api.nodeLog(node.id), [node.id]);
  const belongs = useCallback((line: LogLine) => line.node === node.id, [node.id]);
  return (
    <>
      <p class="crumbs">
        <a href="/nodes">Nodes</a> /
      </p>
      <div class="page-head">
        <NodeName node={node} />
        <LinkBadge state={node.link} />
        <LifecycleBadge state={node.lifecycle} />
        <MarkBadge mark={node.mark} />
        <span class="dim">
          {node.link === "offline" ? (
            <>
              last seen <Ago at={node.lastSeen} />
            </>
          ) : (
            node.address
          )}
        </span>
      </div>
      <Allowed role="operator" what="Working with nodes">
        <div class="actions" role="toolbar" aria-label="Actions on this node">
          <button type="button" class="primary" onClick={() => startInstall({ picked: [node.id] })}>
            Install …
          </button>
          <button type="button" onClick={() => setDialog("run")}>
            Run a command …
          </button>
          <button type="button" onClick={() => setDialog("update")}>
            Update packages …
          </button>
          <button type="button" onClick={() => setDialog("firmware")}>
            Update firmware …
          </button>
          <button type="button" onClick={() => setDialog("deploy")}>
            Deploy files …
          </button>
          <button type="button" onClick={() => setDialog("reboot")}>
            Reboot …
          </button>
          <button type="button" onClick={() => setDialog("shutdown")}>
            Shut down …
          </button>
          <LocateButton node={node} />
          <button type="button" class="plain" onClick={() => setDialog("forget")}>
            Forget …
          </button>
        </div>
      </Allowed>
      <Approvals node={node} />
      <Unseen node={node} />
      <LastFailure node={node} last={jobs.list?.[0]} />
      {node.task && <CurrentTask node={node} task={node.task} />}
      <StatusPart node={node} jobs={jobs.list ?? undefined} />
      <div class="columns">
        <InventoryPart node={node} />
        <div class="column">
          <LabelsPart node={node} />
          {node.health && statusOf(node.id).value.heardAt === 0 && <HealthPart node={node} health={node.health} />}
        </div>
      </div>
      <BenchmarksPart node={node} />
      <BurnInPart node={node} />
      <JobsPart {...jobs} />
      <ChangesPart node={node} />
      {board && <BootPart board={board} />}
      <section class="card">
        <h2>Log</h2>
        <LogView read={read} belongs={belongs} file={`${node.name}.log`} />
      </section>
      {dialog === "run" && <RunDialog targets={[node]} onClose={close} />}
      {dialog === "deploy" && <DeployDialog targets={[node]} onClose={close} />}
      {dialog === "update" && <UpdateDialog targets={[node]} onClose={close} />}
      {(dialog === "reboot" || dialog === "shutdown" || dialog === "firmware") && (
        <PowerDialog kind={dialog} targets={[node]} onClose={close} />
      )}
      {dialog === "forget" && <ForgetDialog node={node} onClose={close} />}
    </>
  );
}
