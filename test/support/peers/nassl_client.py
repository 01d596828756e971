"""OpenSSL 1.0.2, which nassl carries in itself, as an interop client. Without a server name and with ciphers of SSL 2.0
in its list it opens with an SSLv2-format ClientHello, as it did in its time."""

from nassl._nassl import OpenSSLError, WantReadError
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum

from job_client import VERSIONS, run

NO_TICKET = 0x00004000
# SSL_OP_NO_..., by the version that is then the newest left.
NEWER_THAN = {
    "SSLv3": 0x04000000 | 0x10000000 | 0x08000000,
    "TLSv1": 0x10000000 | 0x08000000,
    "TLSv1.1": 0x08000000,
    "TLSv1.2": 0,
}
MODE_SEND_FALLBACK_SCSV = 0x00000080


class Tls:
    """nassl's engine with the reading and writing of a socket; its own read() waits for bytes it already has."""

    def __init__(self, sock, job, session):
        self.sock = sock
        self.version = None
        self.client = LegacySslClient(
            ssl_version=OpenSslVersionEnum[job["protocols"] or "SSLV23"],
            ssl_verify=OpenSslVerifyEnum.NONE,
        )
        self.client.set_cipher_list(job["ciphers"] or "ALL:SSLv2")
        if job.get("serverName"):
            self.client._ssl.set_tlsext_host_name(job["serverName"])
        if job.get("tickets") == "no":
            self.client._ssl.set_options(NO_TICKET)
        if job.get("newest"):
            self.client._ssl.set_options(NEWER_THAN[job["newest"]])
        if job.get("fallback"):
            self.client._ssl.set_mode(MODE_SEND_FALLBACK_SCSV)
        if session is not None:
            self.client.set_session(session)
        self.ssl = self.client._ssl
        self.bio = self.client._network_bio
        self.retrying(self.ssl.do_handshake)
        self.client._is_handshake_completed = True
        self.flush()

    def retrying(self, action):
        while True:
            try:
                return action()
            except WantReadError:
                self.flush()
                received = self.sock.recv(16384)
                if not received:
                    raise IOError("closed") from None
                if self.version is None:
                    self.version = received[1:3]
                self.bio.write(received)

    def flush(self):
        while self.bio.pending():
            self.sock.sendall(self.bio.read(self.bio.pending()))

    def sendall(self, data):
        for at in range(0, len(data), 4096):
            self.retrying(lambda: self.ssl.write(data[at : at + 4096]))
            self.flush()

    def recv(self, size):
        try:
            return self.retrying(lambda: self.ssl.read(size))
        except OpenSSLError as error:
            # SSL_ERROR_ZERO_RETURN, a close_notify; an end without one is an IOError.
            if "shut down" not in str(error):
                raise
            return b""

    def describe(self):
        return {"protocol": VERSIONS.get(self.version), "cipher": self.client.get_current_cipher_name()}

    def session(self):
        return self.client.get_session()

    def close(self):
        self.ssl.shutdown()
        self.flush()
        self.sock.close()


run(Tls)
