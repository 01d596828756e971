/** The errors with which the gate itself answers a client are few, however the client asks for them. */
import { test } from 'tap';
import { GATE_REFUSALS } from '../../src/smtp/gate-refusals.js';
import type { GateOptions } from '../../src/smtp/gate-options.js';
import { GateRig } from '../support/gate-rig.js';

/** As much as a socket gives at once. */
const CHUNK_BYTES = 64 * 1024;
const ERRORS = 20;

const FLOODS: readonly (readonly [line: string, options: Partial<GateOptions>])[] = [
  ['\n', { auth: 'withhold' }],
  ['AUTH\r\n', { auth: 'withhold' }],
  ['XCLIENT\n', {}],
  ['PROXY\n', { starttls: 'pass' }],
  ['STARTTLS\n', { starttls: 'hide' }],
  ['STARTTLS\r\n', { starttls: 'active' }],
  ['STARTTLS x\r\n', {}],
];

for (const [line, options] of FLOODS) {
  test(`of a flood of ${JSON.stringify(line)}, ${ERRORS} commands get their error, and the connection ends with 421`, async (t) => {
    const flood = line.repeat(CHUNK_BYTES / line.length);
    for (const size of [CHUNK_BYTES, 1000, line.length, 7, 1]) {
      const rig = new GateRig(options).greeted();
      for (let at = 0; at < flood.length && rig.ended === undefined; at += size) {
        rig.client(flood.slice(at, at + size));
      }
      const replies = rig.toClient.split('\r\n').slice(0, -1);
      t.equal(replies.length, ERRORS + 1, `in pieces of ${size}`);
      t.match(replies.slice(0, -1).join(''), /^(?:5\d\d [^\n]*)+$/);
      t.match(replies.at(-1), /^421 4\.7\.0 proxy\.example too many errors$/);
      t.equal(rig.ended, 'too_many_errors');
      t.equal(rig.toBackend, '');
    }
  });
}

test('a session with successful commands in between has the same number of errors', async (t) => {
  const rig = new GateRig({ auth: 'withhold' }).greeted();
  for (let count = 0; count < ERRORS; count += 1) rig.client('AUTH LOGIN\r\nNOOP\r\n').backend('250 ok\r\n');
  t.equal(rig.ended, undefined);
  rig.forget().client('NOOP\r\n').backend('250 ok\r\n');
  t.equal(rig.toClient, '250 ok\r\n');
  rig.client('AUTH LOGIN\r\n');
  t.equal(rig.ended, 'too_many_errors');
  t.equal(GATE_REFUSALS.too_many_errors.fault, 'client');
});

test('the end for too many errors comes behind the replies that are due', async (t) => {
  const rig = new GateRig().greeted().client(`NOOP\r\n${'XCLIENT\r\n'.repeat(ERRORS + 1)}`);
  t.same([rig.toClient, rig.ended], ['', undefined]);
  rig.backend('250 ok\r\n');
  t.match(rig.toClient, /^250 ok\r\n(?:550 .*\r\n){20}421 4\.7\.0 .*\r\n$/);
  t.equal(rig.ended, 'too_many_errors');
});
