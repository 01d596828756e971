/** Text from a peer, made safe for terminals, logs and everything that searches them. */

/** Replaces what is not printable ASCII, quotes and backslashes by `\xNN`, and cuts to 255 characters. */
export function sanitizePeerText(text: string): string {
  return text.slice(0, MAX_PEER_TEXT_CHARACTERS).replace(/[^\x20-\x7e]|[\\"]/g, (c) => {
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** A host name has at most 255. */
const MAX_PEER_TEXT_CHARACTERS = 255;
