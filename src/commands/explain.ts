/** `oldhello explain`: describes a captured ClientHello and its client. */
import { readFileSync } from 'node:fs';
import { explain as explainHello } from '../explain-hello/explanation.js';
import { findHellos } from '../explain-hello/find-hellos.js';
import { textOf } from '../explain-hello/text-view.js';
import { FAILED, GOOD, say, UsageError, type Command } from './command.js';

export const explain: Command = {
  summary: 'explain a captured ClientHello, and what each profile does with it',
  usage: `oldhello explain [FILE|HEX|-] [--json]

Reads a ClientHello in any form in which people have one, and says what the client
probably is, what it offers, what each profile would choose or why it would refuse, and
what to set. Sends nothing and needs no configuration.

  FILE     a file with hex of any style (a hex stream, xxd, hexdump -C, Wireshark,
           tcpdump -X, openssl s_client -msg or -debug, Domino's SSL_RCV), with the
           bytes themselves, or a packet capture (pcap, pcapng)
  HEX      the hex itself
  -        standard input; also without an argument
  --json   for programs

Exit code 0 when a ClientHello was explained, 1 when there is none or it is cut.`,
  options: { json: { type: 'boolean' } },
  allowPositionals: true,
  run({ values, positionals }) {
    const { accepted, origins, notes } = findHellos(readInput(positionals));
    const hellos = accepted.map((one, index) => ({ ...explainHello(one), origin: origins[index] }));
    if (values['json'] === true) say(JSON.stringify({ notes, hellos }, undefined, 2));
    else {
      for (const note of notes) say(`Note: ${note}.`);
      hellos.forEach((hello, index) => {
        if (hellos.length > 1) say(`\n== hello ${index + 1} of ${hellos.length} ==`);
        else if (notes.length > 0) say('');
        if (hello.origin !== undefined) say(`${hello.origin}\n`);
        say(textOf(hello));
      });
    }
    return Promise.resolve(hellos.some(({ hello }) => hello !== undefined) ? GOOD : FAILED);
  },
};

/** @throws UsageError, and system errors of the file */
function readInput(positionals: readonly string[]): Buffer {
  const [where = '-'] = positionals;
  if (positionals.length > 1 && !positionals.every((one) => HEX.test(one))) {
    throw new UsageError('explain takes one FILE, HEX or -');
  }
  if (where === '-') return bounded(readFileSync(STDIN));
  if (HEX.test(where) && where.length >= MIN_HEX_CHARACTERS) return Buffer.from(positionals.join(' '));
  return bounded(readFileSync(where));
}

function bounded(input: Buffer): Buffer {
  if (input.length <= MAX_INPUT_BYTES) return input;
  throw new UsageError(
    `this is larger than ${MAX_INPUT_BYTES / 1_000_000} MB; for a large capture there is "oldhello census"`,
  );
}

const STDIN = 0;
const HEX = /^(?:(?:0x|\\x)?[0-9a-f]{2}[\s,:]*)+$/i;
/** Shorter ones are names of files. */
const MIN_HEX_CHARACTERS = 40;
const MAX_INPUT_BYTES = 10_000_000;
