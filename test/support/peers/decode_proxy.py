"""Decodes PROXY headers with the package proxy-protocol: a line of hex in, a line of JSON out."""
import json
import sys

from crc32c import crc32c
from proxyprotocol import ProxyProtocolChecksumError, ProxyProtocolIncompleteError
from proxyprotocol.detect import ProxyProtocolDetect


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


def unpack(data):
    try:
        return ProxyProtocolDetect().unpack(data)
    except ProxyProtocolChecksumError as error:
        # It puts TLVs into an order of its own before it sums them up; so the sum is checked below.
        return error.result


def decode(data):
    result = unpack(data)
    tlv = result.tlv
    ssl = tlv.ssl
    return {
        "kind": type(result).__name__,
        "source": [str(part) for part in result.source] if result.proxied else None,
        "destination": [str(part) for part in result.dest] if result.proxied else None,
        "authority": tlv.authority,
        "unique_id": text(tlv.unique_id),
        # Ours stands at the end, and is summed up as zeros.
        "intact": tlv.crc32c is not None and tlv.crc32c == crc32c(data[:-4] + bytes(4)),
        "hello_format": text(tlv.get(0xE0)),
        "has_ssl": ssl.has_ssl,
        "verified": ssl.verified,
        "version": ssl.version,
        "cipher": ssl.cipher,
        "sig_alg": ssl.sig_alg,
        "key_alg": ssl.key_alg,
    }


for line in sys.stdin:
    try:
        answer = decode(bytes.fromhex(line.strip()))
    except (ProxyProtocolIncompleteError, ValueError) as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
