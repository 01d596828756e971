"""Makes records.json: what tlslite-ng, which shares nothing with this engine, derives and seals for fixed secrets.
Run with the Python of the peers: .peers/venv/bin/python test/vectors/records.py"""

import hashlib
import json
import os

from tlslite import __version__
from tlslite.constants import ContentType
from tlslite.handshakehashes import HandshakeHashes
from tlslite.mathtls import calcExtendedMasterSecret, calcFinished, calcMasterSecret
from tlslite.messages import ApplicationData
from tlslite.recordlayer import RecordLayer

SUITES = {
    (3, 0): [0x0004, 0x0005, 0x000A, 0x002F, 0x0035],
    (3, 1): [0x0004, 0x0005, 0x000A, 0x002F, 0x0035, 0xC012],
    (3, 2): [0x0004, 0x0005, 0x000A, 0x002F, 0x0035],
    (3, 3): [0x0004, 0x0005, 0x000A, 0x002F, 0x003C, 0x003D, 0xC028, 0x009C, 0x009D, 0xC02F, 0xC030, 0xCCA8],
}
CBC = {0x000A, 0x002F, 0x0035, 0x003C, 0x003D, 0xC012, 0xC028}
LENGTHS = [1, 20, 300]


def fixed(label, length):
    """Bytes that look random and are the same every time."""
    return bytearray(hashlib.shake_128(label.encode()).digest(length))


class Wire:
    def __init__(self):
        self.sent = b""

    def send(self, data):
        self.sent += bytes(data)
        return len(data)


def seal(version, suite, client, encrypt_then_mac, secrets):
    wire = Wire()
    layer = RecordLayer(wire)
    layer.client = client
    layer.version = version
    layer.encryptThenMAC = encrypt_then_mac
    layer.calcPendingStates(suite, *secrets, ["python"])
    layer.changeWriteState()
    records = []
    for length in LENGTHS:
        wire.sent = b""
        message = ApplicationData().create(fixed(f"content {length}", length))
        for _ in layer.sendRecord(message):
            pass
        assert wire.sent[0] == ContentType.application_data
        records.append(wire.sent.hex())
    return records


def hashes(messages):
    handshake = HandshakeHashes()
    handshake.update(messages)
    return handshake


def vector(version, suite, encrypt_then_mac):
    label = f"{version} {suite:04x}"
    premaster = fixed(label + " premaster", 48 if version < (3, 2) else 65)
    client_random, server_random = fixed(label + " client", 32), fixed(label + " server", 32)
    messages = fixed(label + " messages", 333)
    master = calcMasterSecret(version, suite, premaster, client_random, server_random)
    extended = calcExtendedMasterSecret(version, suite, premaster, hashes(messages)) if version > (3, 0) else None
    secrets = (master, client_random, server_random)
    return {
        "version": version[0] << 8 | version[1],
        "suite": suite,
        "encryptThenMac": encrypt_then_mac,
        "premasterSecret": premaster.hex(),
        "clientRandom": client_random.hex(),
        "serverRandom": server_random.hex(),
        "messages": messages.hex(),
        "masterSecret": bytes(master).hex(),
        "extendedMasterSecret": extended and bytes(extended).hex(),
        "finished": {
            side: bytes(calcFinished(version, master, suite, hashes(messages), side == "client")).hex()
            for side in ("client", "server")
        },
        "contents": [fixed(f"content {length}", length).hex() for length in LENGTHS],
        "clientRecords": seal(version, suite, True, encrypt_then_mac, secrets),
        "serverRecords": seal(version, suite, False, encrypt_then_mac, secrets),
    }


vectors = [
    vector(version, suite, encrypt_then_mac)
    for version, suites in SUITES.items()
    for suite in suites
    for encrypt_then_mac in ([False, True] if suite in CBC and version > (3, 0) else [False])
]
target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "records.json")
with open(target, "w") as file:
    json.dump({"source": f"tlslite-ng {__version__}, by records.py", "vectors": vectors}, file, indent=1)
    file.write("\n")
print(f"{len(vectors)} vectors")
