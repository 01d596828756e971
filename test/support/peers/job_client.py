"""The jobs of the interop clients in Python, whatever TLS they bring: one a line on standard input, fields key=value
separated by tabs, answered by one line of JSON. The kinds are those of SmtpTlsClient.java."""

import contextlib
import json
import socket
import sys

VERSIONS = {b"\x03\x00": "SSLv3", b"\x03\x01": "TLSv1", b"\x03\x02": "TLSv1.1", b"\x03\x03": "TLSv1.2"}
TIMEOUT = 30
PATTERN = bytes((at * 31 + (at >> 8)) & 0xFF for at in range(65536))


class Phase:
    """What was going on when a job failed."""

    name = "connect"


class Dialogue:
    """SMTP, the client's side. `recv` and `sendall` are those of a socket, or of TLS."""

    def __init__(self, channel):
        self.channel = channel
        self.pending = b""

    def line(self):
        while b"\r\n" not in self.pending:
            chunk = self.channel.recv(4096)
            if not chunk:
                raise IOError("closed in the middle of a reply")
            self.pending += chunk
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line.decode("latin-1")

    def expect(self, code):
        while True:
            line = self.line()
            if not line.startswith(code):
                raise IOError(f"not {code} but: {line}")
            if line[3:4] != "-":
                return

    def command(self, line, code):
        self.channel.sendall(line.encode("latin-1") + b"\r\n")
        self.expect(code)


def connect(job):
    sock = socket.create_connection((job["host"], int(job["port"])), TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Dripping(sock) if job.get("drip") == "true" else sock


class Dripping:
    """A socket that sends every byte in a segment of its own."""

    def __init__(self, sock):
        self.sock = sock

    def sendall(self, data):
        for at in range(len(data)):
            self.sock.sendall(data[at : at + 1])

    def send(self, data):
        self.sendall(data)
        return len(data)

    def __getattr__(self, name):
        return getattr(self.sock, name)


def deliver(job, handshake):
    Phase.name = "connect"
    sock = connect(job)
    if job["mode"] == "starttls":
        Phase.name = "plaintext"
        dialogue = Dialogue(sock)
        dialogue.expect("220")
        dialogue.command("EHLO " + job["helo"], "250")
        dialogue.command("STARTTLS", "220")
    Phase.name = "handshake"
    tls = handshake(sock, job, None)
    Phase.name = "mail"
    dialogue = Dialogue(tls)
    if job["mode"] == "implicit":
        dialogue.expect("220")
    dialogue.command("EHLO " + job["helo"], "250")
    dialogue.command(f"MAIL FROM:<{job['from']}>", "250")
    dialogue.command(f"RCPT TO:<{job['to']}>", "250")
    dialogue.command("DATA", "354")
    with open(job["file"], "rb") as message:
        content = message.read()
    if content.startswith(b"."):
        content = b"." + content
    tls.sendall(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    dialogue.expect("250")
    dialogue.command("QUIT", "221")
    answer = tls.describe()
    tls.close()
    return answer


def echo(job, handshake):
    """`rounds` are connections, `size:closer`; each but the first offers the session of the one before."""
    session = None
    answer = {}
    for size, closer in (part.split(":") for part in job["rounds"].split(",")):
        Phase.name = "connect"
        with contextlib.closing(connect(job)) as sock:
            Phase.name = "handshake"
            tls = handshake(sock, job, session)
            Phase.name = "echo"
            exchange(tls, int(size))
            answer = tls.describe()
            session = tls.session()
            Phase.name = "close"
            if closer == "server" and tls.recv(16):
                raise IOError("data instead of a close")
            tls.close()
    return answer


def exchange(tls, size):
    """A piece at a time: a megabyte one way before anything is read would fill every buffer on the path."""
    sent = PATTERN * (size // len(PATTERN)) + PATTERN[: size % len(PATTERN)]
    received = bytearray()
    for at in range(0, size, 16384):
        piece = sent[at : at + 16384]
        tls.sendall(piece)
        while len(received) < at + len(piece):
            chunk = tls.recv(16384)
            if not chunk:
                raise IOError(f"closed after {len(received)} bytes")
            received += chunk
    if received != sent:
        raise IOError("the echo differs")


def run(handshake):
    for line in sys.stdin:
        job = dict(field.split("=", 1) for field in line.rstrip("\n").split("\t"))
        try:
            answer = echo(job, handshake) if job["kind"] == "echo" else deliver(job, handshake)
            answer["ok"] = True
        except Exception as error:  # whatever it is, it is the answer
            answer = {"ok": False, "phase": Phase.name, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
