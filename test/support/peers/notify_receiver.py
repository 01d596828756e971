"""What systemd is to a service: a datagram socket that takes the words of sd_notify. Prints each as a JSON array."""

import array
import json
import os
import socket
import sys

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("[]", flush=True)
while True:
    words, ancillary, _, _ = receiver.recvmsg(65536, socket.CMSG_SPACE(16 * array.array("i").itemsize))
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            # BARRIER=1: whoever sent it waits until the other end is closed.
            descriptors = array.array("i")
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
            for descriptor in descriptors:
                os.close(descriptor)
    print(json.dumps(words.decode().splitlines()), flush=True)
