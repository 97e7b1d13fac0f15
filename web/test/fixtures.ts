import type { NodeView, TaskView } from "../src/api/types";

/** A Raspberry Pi that waits for a person. */
export function node(change: Partial<NodeView> = {}): NodeView {
  return {
    id: "10000000abcdef01",
    name: "node-cdef01",
    lifecycle: "new",
    link: "net-inst",
    address: "10.0.0.7",
    firstSeen: 0,
    lastSeen: 0,
    wantsApproval: false,
    version: "0.1.0",
    tags: ["camera", "rack-3"],
    note: "",
    location: "Room 12",
    mark: "new",
    inventory: {
      id: "10000000abcdef01",
      architecture: "arm64",
      model: "Raspberry Pi 4 Model B Rev 1.4",
      serial: "10000000abcdef01",
      revision: "c03114",
      firmware: "",
      memoryBytes: 4e9,
      processors: 4,
      interfaces: [{ name: "eth0", mac: "dc:a6:32:01:02:03", linkUp: true, addresses: ["10.0.0.7"], driver: "bcmgenet", speedMbit: 1000 }],
      disks: [
        { name: "mmcblk0", sizeBytes: 32e9, blockSize: 512, kind: "sd", model: "SD32G", serial: "", removable: true, readOnly: false },
      ],
      kernel: "6.1.0",
      system: "NetInst",
    },
    ...change,
  };
}

/** An installation that is written at this moment. */
export function task(change: Partial<TaskView> = {}): TaskView {
  return {
    id: "t1",
    jobId: "j1",
    node: "10000000abcdef01",
    nodeName: "node-cdef01",
    kind: "install",
    state: "running",
    phase: "writing",
    done: 50,
    total: 100,
    unit: "bytes",
    rate: 10,
    cause: "",
    attempts: 1,
    cancelRequested: false,
    createdAt: 0,
    phaseAt: 0,
    note: "",
    stall: "",
    ...change,
  };
}
