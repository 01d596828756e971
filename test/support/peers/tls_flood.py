"""tlslite-ng as a client that goes on asking for another handshake, or for other keys, inside an established session,
whatever it is answered. Arguments: the port, "renegotiation" or "key_update", and how often at most. Prints how many
were sent before the server closed."""

import socket
import sys
import threading

from tlslite.api import HandshakeSettings, TLSConnection
from tlslite.constants import CipherSuite, KeyUpdateMessageType
from tlslite.errors import TLSError
from tlslite.messages import ClientHello

TIMEOUT = 30
PATIENCE = 5


def secure(sock, version):
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = version
    connection = TLSConnection(sock)
    connection.handshakeClientCert(settings=settings)
    return connection


def hello():
    suites = [CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
    return ClientHello().create((3, 3), bytearray(32), bytearray(0), suites)


def send_hello(connection):
    for _ in connection._sendMsg(hello()):
        pass


def send_key_update(connection):
    for _ in connection.send_keyupdate_request(KeyUpdateMessageType.update_requested):
        pass


FLOODS = {"renegotiation": ((3, 3), send_hello), "key_update": ((3, 4), send_key_update)}


def drain(sock, closed):
    """What is answered need not be understood, only taken, so that nothing waits for it."""
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass
    closed.set()


def main():
    port, kind, most = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    version, send = FLOODS[kind]
    sock = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    connection = secure(sock, version)
    closed = threading.Event()
    threading.Thread(target=drain, args=(sock, closed), daemon=True).start()
    sent = 0
    try:
        while sent < most and not closed.is_set():
            send(connection)
            sent += 1
    except (OSError, TLSError):
        closed.set()
    print(sent if closed.wait(PATIENCE) else "open")


main()
