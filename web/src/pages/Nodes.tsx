import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { JobKind } from "../api/types";
import { Allowed } from "../components/Allowed";
import { NodeSearch } from "../components/NodeSearch";
import { Empty, Notice } from "../components/Notice";
import { Table } from "../components/Table";
import { useAction } from "../components/useAction";
import { ViewMenu } from "../components/ViewMenu";
import { filterFault, nodeFilter } from "../lib/filter";
import { count } from "../lib/format";
import { go, queryValue, setQueryValue } from "../lib/router";
import { startInstall } from "../state/installDraft";
import { may } from "../state/session";
import { nodes, unapproved, wireBoards } from "../state/store";
import { compareUrl, mostCompared } from "./Compare";
import { chosenColumns, optionalColumns, shownColumns, usualColumns } from "./nodes/columns";
import { DeployDialog } from "./nodes/DeployDialog";
import { FirstSteps, isFirstRun } from "./nodes/FirstSteps";
import { PowerDialog } from "./nodes/PowerDialog";
import { StateFilter } from "./nodes/StateFilter";
import { UnapprovedBoards } from "./nodes/UnapprovedBoards";
import { useSelection } from "./nodes/useSelection";
import { WireBoards } from "./nodes/WireBoards";
import { BenchmarkDialog, RunDialog, UpdateDialog } from "./nodes/WorkDialogs";

export function NodesPage() {
  const query = queryValue("q");
  const all = nodes.value;
  const shown = useMemo(() => all.filter(nodeFilter(query)), [all, query]);
  const { selected, selection, clear, selectShown } = useSelection(all, shown);
  const [dialog, setDialog] = useState<JobKind | null>(null);

  const unseen = selected.filter((node) => node.mark !== "none");
  const seeing = useAction();

  if (all.length === 0) {
    return (
      <>
        <div class="page-head">
          <h1>Nodes</h1>
        </div>
        <FirstSteps />
        <UnapprovedBoards boards={unapproved.value} />
        <WireBoards boards={wireBoards.value} />
        {unapproved.value.length === 0 && wireBoards.value.length === 0 && <NoNodes />}
      </>
    );
  }
  const hidden = selected.length - selected.filter((node) => shown.includes(node)).length;
  const online = all.filter((node) => node.link !== "offline").length;
  return (
    <>
      <div class="page-head">
        <h1>Nodes</h1>
        <span class="dim">
          {query === "" ? count(all.length, "node") : `${shown.length} of ${count(all.length, "node")}`}, {online} connected
        </span>
        <NodeSearch />
      </div>
      {isFirstRun() && <FirstSteps />}
      <UnapprovedBoards boards={unapproved.value} />
      <div class="chips-row">
        <StateFilter nodes={all} />
        <span class="export">
          Export{" "}
          <a href={exportUrl("csv", query)} download title={exported(shown.length)}>
            CSV
          </a>{" "}
          <a href={exportUrl("json", query)} download title={exported(shown.length)}>
            JSON
          </a>
          <ViewMenu columns={optionalColumns} shown={chosenColumns} usual={usualColumns} />
        </span>
      </div>
      <Allowed role="operator" what="Working with nodes">
        <div class="actions" role="toolbar" aria-label="Actions on the selected nodes">
          <button
            type="button"
            class="primary"
            disabled={selected.length === 0}
            onClick={() => startInstall({ picked: selected.map((n) => n.id) })}
          >
            Install …
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("run")}>
            Run a command …
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("update")}>
            Update packages …
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("firmware")}>
            Update firmware …
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("deploy")}>
            Deploy files …
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("benchmark")}>
            Measure …
          </button>
          <button
            type="button"
            disabled={selected.length === 0 || selected.length > mostCompared}
            onClick={() => go(compareUrl(selected.map((n) => n.id)))}
          >
            Compare
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("reboot")}>
            Reboot …
          </button>
          <button type="button" disabled={selected.length === 0} onClick={() => setDialog("shutdown")}>
            Shut down …
          </button>
          <button
            type="button"
            disabled={seeing.busy || unseen.length === 0}
            onClick={() => void seeing.run(async () => void (await Promise.all(unseen.map((n) => api.acknowledge(n.id)))))}
          >
            Acknowledge
          </button>
          <span class="selected-count" role="status">
            {selected.length === 0 ? "Nothing selected" : `${count(selected.length, "node")} selected`}
            {hidden > 0 && ` (${hidden} not shown by this filter)`}
          </span>
          {selection.state !== "all" && shown.length > 0 && (
            <button type="button" class="plain select-shown" onClick={selectShown}>
              Select all {shown.length.toLocaleString("en")}
              {query !== "" && " that match"}
            </button>
          )}
          {selected.length > 0 && (
            <button type="button" class="plain" onClick={clear}>
              Clear
            </button>
          )}
        </div>
      </Allowed>
      {seeing.error !== "" && <Notice tone="bad">{seeing.error}</Notice>}
      {shown.length === 0 ? (
        <Empty title="No nodes match">
          {filterFault(query) !== "" && <p>{filterFault(query)}</p>}
          <p>
            <button type="button" onClick={() => setQueryValue("q", "")}>
              Show all {count(all.length, "node")}
            </button>
          </p>
        </Empty>
      ) : (
        <Table
          label="Nodes"
          columns={shownColumns.value}
          rows={shown}
          keyOf={(n) => n.id}
          nameOf={(n) => n.name}
          {...(may("operator") && { selection })}
        />
      )}
      <WireBoards boards={wireBoards.value} />
      {dialog === "run" && <RunDialog targets={selected} onClose={() => setDialog(null)} />}
      {dialog === "deploy" && <DeployDialog targets={selected} onClose={() => setDialog(null)} />}
      {dialog === "benchmark" && <BenchmarkDialog targets={selected} onClose={() => setDialog(null)} />}
      {dialog === "update" && <UpdateDialog targets={selected} onClose={() => setDialog(null)} />}
      {(dialog === "reboot" || dialog === "shutdown" || dialog === "firmware") && (
        <PowerDialog kind={dialog} targets={selected} onClose={() => setDialog(null)} />
      )}
    </>
  );
}

/** The export of what is shown: the appliance reads a filter as the page does. */
function exportUrl(type: "csv" | "json", query: string): string {
  return `/api/v1/nodes.${type}${query.trim() === "" ? "" : `?select=${encodeURIComponent(query)}`}`;
}

const exported = (n: number) => `${count(n, "node")}, with all that is known of them`;

function NoNodes() {
  return (
    <Empty title="No boards yet">
      <p>
        Plug boards into the appliance's network and switch them on. Each appears here by itself, a few seconds after it starts. Nothing is
        written to its disk before you say so.
      </p>
      <h3>What to set on a board</h3>
      <dl>
        <dt>Raspberry Pi 5, 500, CM5</dt>
        <dd>
          Needs a boot set, which knows it: add an image of Raspberry Pi OS, then <a href="/settings/boot-sets">create one from it</a>.
          Network in its boot order as for a Pi 4.
        </dd>
        <dt>Raspberry Pi 4, 400, CM4</dt>
        <dd>
          Boots from the network when its card is out or empty, if network is in its boot order: <code>sudo rpi-eeprom-config --edit</code>,{" "}
          <code>BOOT_ORDER=0xf21</code> (read from the right: card, then network, then from the start).
        </dd>
        <dt>Raspberry Pi 3B+</dt>
        <dd>Boots from the network as it comes: leave the card empty or out.</dd>
        <dt>Raspberry Pi 3B</dt>
        <dd>
          Needs it switched on once: <code>program_usb_boot_mode=1</code> in config.txt, one start, done for life.
        </dd>
        <dt>PCs</dt>
        <dd>Choose network (PXE) boot in the firmware's boot order.</dd>
        <dt>Boards without network boot</dt>
        <dd>
          Write the NetInst card once: <code>bootstrap flash netinst /dev/…</code>
        </dd>
      </dl>
      <p class="dim">
        Nothing comes? The board and the appliance must be on one network segment; spanning tree on a switch's port may delay a start by
        about two minutes.
      </p>
    </Empty>
  );
}
