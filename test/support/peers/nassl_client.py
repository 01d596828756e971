"""OpenSSL 1.0.2, which nassl carries in itself, as an interop client. Without a server name and with ciphers of SSL 2.0
in its list it opens with an SSLv2-format ClientHello, as it did in its time."""

from nassl._nassl import OpenSSLError, WantReadError
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum

from job_client import VERSIONS, run


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
        if job.get("tickets") == "no":
            self.client.disable_stateless_session_resumption()
        if session is not None:
            self.client.set_session(session)
        self.ssl = self.client._ssl
        self.bio = self.client._network_bio
        self.retrying(self.ssl.do_handshake)
        self.client._is_handshake_completed = True
        self.flush()
        self.resumed = session is not None and self.master_key() == self.last_master_key

    last_master_key = None

    def master_key(self):
        for line in self.client.get_session().as_text().splitlines():
            if "Master-Key" in line:
                return line
        return None

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
        except (IOError, OpenSSLError) as error:
            if "closed" in str(error) or "zero return" in str(error).lower():
                return b""
            raise

    def describe(self):
        return {"protocol": VERSIONS.get(self.version), "cipher": self.client.get_current_cipher_name()}

    def session(self):
        Tls.last_master_key = self.master_key()
        return self.client.get_session()

    def close(self):
        self.client._sock = self.sock
        self.client.shutdown()
        self.sock.close()


run(Tls)
