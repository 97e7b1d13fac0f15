#!/usr/bin/env python3
"""A stranger on the wire: tries to get in, and prints one line of JSON for each attempt: {"try": …, "got": …}.

It has its own implementation of enrolment, of the link and of discovery, made from what is on the wire alone, and knows what a patient eavesdropper knows:
addresses, serial numbers, names of images. It ends by itself.

  stranger.py APPLIANCE MANIFEST-DIGEST NODE-ID…
"""
import base64, hashlib, http.client, json, os, re, socket, ssl, struct, subprocess, sys, tempfile, threading, time

appliance, manifest, nodes = sys.argv[1], sys.argv[2], sys.argv[3:]
WEB, LINK, PLAIN, TFTP, GROUP, DISCOVERY = 8443, 8444, 8080, 69, "239.255.13.37", 1337
ROUNDS, PAUSE = 12, 4.0  # for as long as an installation takes, bounded in any case
folder = tempfile.mkdtemp(prefix="stranger-")


def tell(what, got):
    print(json.dumps({"try": what, "got": got}), flush=True)


def blind(certificate=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def ask(port, method, path, body=None, headers=None, certificate=None):
    """Status and body; or 0 and why there is none."""
    try:
        connection = (http.client.HTTPConnection(appliance, port, timeout=20) if port == PLAIN
                      else http.client.HTTPSConnection(appliance, port, timeout=20, context=blind(certificate)))
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read(64 << 20)
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error).encode()


def key(name):
    """A key with a request for a certificate, and a certificate that it has signed itself."""
    base = os.path.join(folder, name)
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", base + ".key"], check=True)
    subprocess.run(["openssl", "req", "-new", "-sha256", "-key", base + ".key", "-subj", f"/CN={name}", "-outform", "DER", "-out", base + ".csr"], check=True)
    subprocess.run(["openssl", "req", "-x509", "-sha256", "-days", "9", "-key", base + ".key", "-subj", f"/CN={name}", "-out", base + ".pem"], check=True)
    with open(base + ".csr", "rb") as request:
        return request.read(), (base + ".pem", base + ".key")


def inventory(node, serial):
    return {"id": node, "architecture": "arm64", "model": "Raspberry Pi 4 \x1b]0;owned\x07 {{ lookup('pipe', 'id') }}", "serial": serial, "revision": "c03114", "firmware": "",
            "memoryBytes": 1 << 30, "processors": 4, "interfaces": [], "disks": [], "kernel": "6", "system": "NetInst"}


def enrol(token, node, request, serial="x"):
    body = json.dumps({"joinToken": token, "certificateRequest": base64.b64encode(request).decode(), "inventory": inventory(node, serial)})
    status, answer = ask(LINK, "POST", "/enrol", body, {"Content-Type": "application/json"})
    try:
        return len(base64.b64decode(json.loads(answer).get("certificate") or "")) if status == 200 else -status
    except ValueError:
        return -status


def discovery(stop):
    """Answers every question as a node, the appliance and a famous host would, unsigned; anybody may."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", DISCOVERY))
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + struct.pack("!I", 0))
    listener.settimeout(0.5)
    while not stop.is_set():
        try:
            datagram, sender = listener.recvfrom(2048)
            query = json.loads(datagram)
        except (OSError, ValueError):
            continue
        if query.get("t") != "query":
            continue
        for name in [*nodes, "www.example.com"]:
            answer = {"t": "answer", "v": 2, "nonce": query.get("nonce", ""), "meshes": query.get("meshes", []), "serviceCount": 1, "node": {
                "id": name, "hostName": "www.example.com", "identity": {"role": "slave", "kind": "raspberry-pi", "instance": "www.example.com"}, "parameters": {},
                "services": [{"id": "slave", "parameters": {}}]}}
            listener.sendto(json.dumps(answer).encode(), sender)


def tftp(path):
    """Bytes that come although not one was acknowledged."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(12)
    client.sendto(b"\0\1" + path.encode() + b"\0octet\0blksize\0001468\0windowsize\00016\0", (appliance, TFTP))
    received, until = 0, time.monotonic() + 12
    while time.monotonic() < until:
        try:
            received += len(client.recvfrom(65536)[0])
        except OSError:
            break
    return received


status, boot = ask(PLAIN, "GET", "/netinst/arm64/initramfs")
found = re.search(rb'"joinToken":"([0-9a-f]{64})"', boot)
token = found.group(1).decode() if found else ""
tell("join token out of the boot files", bool(token))  # public by construction

stop = threading.Event()
answering = threading.Thread(target=discovery, args=(stop,))
answering.start()
# As many connections that say nothing as one address may have, and more.
idle = []
for port in (WEB, LINK, PLAIN):
    for _ in range(200):
        try:
            idle.append(socket.create_connection((appliance, port), timeout=2))
        except OSError:
            break
tell("idle connections", len(idle) > 0)

mine = {name: key(name) for name in [*nodes, "10000000deadbeef"]}
for attempt in range(ROUNDS):
    for node in nodes:
        request, certificate = mine[node]
        tell(f"enrol as {node}", enrol(token, node, request))
        tell(f"link as {node} by a certificate of its own", ask(LINK, "GET", "/link", certificate=certificate)[0])
    tell("enrol as a new board", enrol(token, "10000000deadbeef", mine["10000000deadbeef"][0], "x" * 5000))
    tell("enrol as the appliance", enrol(token, "appliance-00000000", mine["10000000deadbeef"][0]))
    tell("manifest, plain", ask(PLAIN, "GET", f"/store/manifests/{manifest}")[0])
    tell("manifest, without a certificate", ask(LINK, "GET", f"/store/manifests/{manifest}")[0])
    tell("manifest, by a certificate of its own", ask(LINK, "GET", f"/store/manifests/{manifest}", certificate=mine[nodes[0]][1])[0])
    tell("image as one file", ask(PLAIN, "GET", f"/imager/{manifest}.img")[0])
    listed = json.loads(ask(PLAIN, "GET", "/os_list.json")[1] or b"{}")
    tell("images in the list", [entry["name"] for entry in listed.get("os_list", []) if entry["name"] != "Bootstrap NetInst"])
    for path in ("nodes", "unapproved", "jobs", "policy", "audit", "users", "nodes.json", "events"):
        tell(f"api {path}", ask(WEB, "GET", f"/api/v1/{path}")[0])
    tell("approve itself", ask(WEB, "POST", "/api/v1/unapproved/approve", "{}", {"Content-Type": "application/json"})[0])
    tell("guess a password", ask(WEB, "POST", "/api/v1/session", '{"name":"admin","password":"letmein1234"}', {"Content-Type": "application/json"})[0])
    if attempt == 0:
        tell("tftp without an acknowledgement", tftp("netinst/arm64/initramfs"))
        tell("enrol with 20 MB", enrol(token, "10000000deadbeef", mine["10000000deadbeef"][0], "x" * (20 << 20)))
    time.sleep(PAUSE)
for connection in idle:
    connection.close()
stop.set()
answering.join()
tell("end", True)
