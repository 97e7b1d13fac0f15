#!/usr/bin/env python3
"""Every call of the client, by hand: reads commands, as docs/discovery-api.md describes them under "Consoles"."""
import sys

from bootstrap_discovery import SOCKET, Discovery, DiscoveryError


def text(service):
    return " ".join([service.id] + [f"{name}={value}" for name, value in sorted(service.params.items())])


def run(discovery, words):
    command, subject = words[0], words[1] if len(words) > 1 and "=" not in words[1] else ""
    search, params = {}, {}
    for name, value in (word.split("=", 1) for word in words if "=" in word):
        if name == "param":
            params.update([value.split(":", 1)])
        else:
            search[name] = int(value) if name in ("max_nodes", "timeout", "retries") else [value]
    if command in ("marco", "request_for"):
        found = discovery.marco(params=params or None, **search) if command == "marco" else discovery.request_for(subject, params=params or None, **search)
        for node in found:
            print(node.id, node.host_name, node.address, f"{node.role}/{node.kind}/{node.instance}", *map(text, node.services))
    elif command == "services":
        for service in discovery.services(subject):
            print(text(service))
    elif command == "publish":
        print(discovery.publish(subject, params))
    elif command == "unpublish":
        print(discovery.unpublish(subject))
    elif command == "watch":
        event = next(discovery.watch())
        print(event.kind, event.id)
    else:
        print("error no such command")


with Discovery(sys.argv[1] if len(sys.argv) > 1 else SOCKET) as connection:
    for line in sys.stdin:
        try:
            run(connection, line.split())
        except DiscoveryError as error:
            print("error", error)
        print(".", flush=True)
