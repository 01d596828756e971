"""tlslite-ng as an interop client: TLS in pure Python, which shares nothing with the others."""

from tlslite.api import HandshakeSettings, TLSConnection
from tlslite.constants import CipherSuite

from job_client import run

VERSION_NUMBERS = {"SSLv3": (3, 0), "TLSv1": (3, 1), "TLSv1.1": (3, 2), "TLSv1.2": (3, 3)}


def settings(job):
    """`ciphers` is one IANA name; tlslite chooses by kinds, so each kind is narrowed to the one in the name."""
    chosen = HandshakeSettings()
    version = VERSION_NUMBERS[job["protocols"]]
    chosen.minVersion = chosen.maxVersion = version
    name = job["ciphers"]
    key_exchange, _, rest = name[len("TLS_") :].partition("_WITH_")
    chosen.keyExchangeNames = [key_exchange.lower()]
    chosen.cipherNames = [cipher_name(rest)]
    chosen.macNames = ["aead"] if "GCM" in rest or "POLY1305" in rest else [rest.rsplit("_", 1)[1].lower()]
    chosen.useEncryptThenMAC = job.get("encryptThenMac") != "false"
    chosen.useExtendedMasterSecret = job.get("extendedMasterSecret") != "false"
    chosen.sendFallbackSCSV = job.get("fallback") == "true"
    return chosen


def cipher_name(rest):
    for part, name in (
        ("RC4", "rc4"),
        ("3DES", "3des"),
        ("CHACHA20", "chacha20-poly1305"),
        ("AES_128_GCM", "aes128gcm"),
        ("AES_256_GCM", "aes256gcm"),
        ("AES_128_CBC", "aes128"),
        ("AES_256_CBC", "aes256"),
    ):
        if part in rest:
            return name
    raise ValueError(f"tlslite-ng has no {rest}")


class Tls:
    def __init__(self, sock, job, session):
        self.connection = TLSConnection(sock)
        self.sock = sock
        self.job = job
        self.connection.handshakeClientCert(
            session=session, settings=settings(job), serverName=job.get("serverName")
        )

    def sendall(self, data):
        self.connection.sendall(data)

    def recv(self, size):
        return bytes(self.connection.recv(size))

    def describe(self):
        suite = CipherSuite.ietfNames[self.connection.session.cipherSuite]
        return {"protocol": self.job["protocols"], "cipher": suite}

    def session(self):
        return self.connection.session

    def close(self):
        self.connection.close()
        self.sock.close()


run(Tls)
