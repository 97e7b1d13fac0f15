"""Discovery for Python programs of a node: docs/discovery-api.md tells what each call does and what limits there are.

    with Discovery() as discovery:
        for node in discovery.request_for("compiler", params={"abi": "9"}):
            print(node.host_name, node.address)

What a program published is withdrawn when its connection is closed, or when it dies. A connection is for one thread at a time.
"""
import json
import socket
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

SOCKET = "/run/bootstrap/discovery.sock"
_VERSION = 1


class DiscoveryError(Exception):
    """The Slave refused a request, or ended the connection; the text says why in one sentence."""


@dataclass(frozen=True)
class Service:
    id: str
    params: Dict[str, str]


@dataclass(frozen=True)
class Node:
    """A node that was found; `proven`: the appliance's CA vouches for it."""

    id: str
    host_name: str
    address: str
    role: str
    kind: str
    instance: str
    params: Dict[str, str]
    services: List[Service]
    proven: bool


@dataclass(frozen=True)
class Event:
    """`kind` is Join, Identity, Change, Suspect, Alive or Leave; `at` is UTC in ISO 8601."""

    sequence: int
    kind: str
    id: str
    at: str
    reason: str


class Discovery:
    """A connection to the Slave. OSError where there is none."""

    def __init__(self, path: str = SOCKET):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise
        self._replies = self._socket.makefile("r", encoding="utf-8", newline="\n")
        self._last_id = 0

    def marco(self, nodes: Optional[Sequence[str]] = None, max_nodes: Optional[int] = None, exclude: Optional[Sequence[str]] = None,
              params: Optional[Mapping[str, str]] = None, timeout: Optional[int] = None, retries: Optional[int] = None,
              meshes: Optional[Sequence[str]] = None, role: Optional[str] = None, kind: Optional[str] = None,
              instance: Optional[str] = None, service: Optional[str] = None) -> List[Node]:
        """Finds nodes. `timeout` is in milliseconds; what is None is as for everybody."""
        reply = self._ask("marco" if service is None else "request_for", service=service, nodes=nodes, maxNodes=max_nodes, exclude=exclude,
                          params=params, timeout=timeout, retries=retries, meshes=meshes, role=role, kind=kind, instance=instance)
        return [_node(node) for node in reply["nodes"]]

    def request_for(self, service: str, **search) -> List[Node]:
        """Finds the nodes that offer a service. `search` is as for marco()."""
        return self.marco(service=service, **search)

    def services(self, node: str) -> List[Service]:
        """All services of a node, given by id or host name."""
        return [_service(service) for service in self._ask("services", nodes=[node])["services"]]

    def publish(self, service: str, params: Optional[Mapping[str, str]] = None, meshes: Optional[Sequence[str]] = None) -> str:
        """Offers a service as long as this connection lasts, and gives its name as others see it."""
        return self._ask("publish", service=service, params=params, meshes=meshes)["service"]

    def unpublish(self, service: str) -> str:
        """Withdraws a service."""
        return self._ask("unpublish", service=service)["service"]

    def watch(self) -> Iterator[Event]:
        """What happens to nodes, without end. The connection can only be closed afterwards."""
        self._send("watch")
        while True:
            yield Event(**self._receive()["event"])

    def close(self) -> None:
        self._replies.close()
        self._socket.close()

    def __enter__(self) -> "Discovery":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _ask(self, command: str, **fields) -> dict:
        self._send(command, **fields)
        return self._receive()

    def _send(self, command: str, **fields) -> None:
        self._last_id += 1
        request = {"v": _VERSION, "id": self._last_id, "command": command}
        request.update((name, value) for name, value in fields.items() if value is not None)
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise DiscoveryError(f"the Slave ended the connection: {error.strerror}") from error

    def _receive(self) -> dict:
        try:
            line = self._replies.readline()
        except ConnectionError:
            line = ""
        if not line:
            raise DiscoveryError("the Slave ended the connection")
        reply = json.loads(line)
        if "error" in reply:
            raise DiscoveryError(reply["error"])
        return reply


def _service(found: dict) -> Service:
    return Service(found["id"], found["parameters"])


def _node(found: dict) -> Node:
    return Node(found["id"], found["hostName"], found["address"], found["identity"]["role"], found["identity"]["kind"], found["identity"]["instance"],
                found["parameters"], [_service(service) for service in found["services"]], found["proven"])
