/** Finds the IP packet in a frame, by the kind of link that was captured. */

/** Where the IP packet begins; undefined for another protocol, or a frame that is cut off before it. */
type IpOffset = number | undefined;

/** @returns the function for a link type of https://www.tcpdump.org/linktypes.html; undefined for an unknown one */
export function ipFinder(linkType: number): ((frame: Buffer) => IpOffset) | undefined {
  return FINDERS.get(linkType);
}

const raw = (): IpOffset => 0;

function ethernet(frame: Buffer): IpOffset {
  return afterEtherType(frame, 12);
}

/** @param at of the EtherType; behind it may be VLAN tags (IEEE 802.1Q and 802.1ad) */
function afterEtherType(frame: Buffer, at: number): IpOffset {
  for (let tags = 0; tags <= MAX_VLAN_TAGS && at + 2 <= frame.length; tags++) {
    const type = frame.readUInt16BE(at);
    if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return at + 2;
    if (type === ETHERTYPE_PPPOE) return at + 2 + PPPOE_LENGTH;
    if (!VLAN_ETHERTYPES.has(type)) return undefined;
    at += VLAN_TAG_LENGTH;
  }
  return undefined;
}

/** The address family of the capturing machine, in its byte order; IPv6 has a number of its own on each system. */
function loopback(frame: Buffer): IpOffset {
  if (frame.length < 4) return undefined;
  const family = Math.min(frame.readUInt32LE(0), frame.readUInt32BE(0));
  return ADDRESS_FAMILIES.has(family) ? 4 : undefined;
}

function linuxCooked(frame: Buffer): IpOffset {
  return afterEtherType(frame, 14);
}

/** The EtherType stands first, and what it announces behind the header; a VLAN tag begins there. */
function linuxCooked2(frame: Buffer): IpOffset {
  if (frame.length < SLL2_LENGTH) return undefined;
  const type = frame.readUInt16BE(0);
  if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return SLL2_LENGTH;
  return VLAN_ETHERTYPES.has(type) ? afterEtherType(frame, SLL2_LENGTH + 2) : undefined;
}

const FINDERS: ReadonlyMap<number, (frame: Buffer) => IpOffset> = new Map([
  [0, loopback],
  [1, ethernet],
  [12, raw],
  [14, raw],
  [101, raw],
  [108, loopback],
  [113, linuxCooked],
  [228, raw],
  [229, raw],
  [276, linuxCooked2],
]);

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_PPPOE = 0x8864;
const VLAN_ETHERTYPES = new Set([0x8100, 0x88a8, 0x9100]);
const VLAN_TAG_LENGTH = 4;
/** A provider's and a customer's, and two to spare. */
const MAX_VLAN_TAGS = 4;
/** With PPP's protocol field. */
const PPPOE_LENGTH = 8;
const SLL2_LENGTH = 20;
/** AF_INET everywhere; AF_INET6 of Linux, the BSDs, FreeBSD and macOS. */
const ADDRESS_FAMILIES = new Set([2, 10, 24, 28, 30]);
