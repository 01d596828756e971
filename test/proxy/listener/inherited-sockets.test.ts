/** Sockets of systemd belong to the listener with their address, however either of the two is written. */
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import type { ListenerConfig } from '../../../src/config/schema.js';
import { assignSockets } from '../../../src/proxy/listener/inherited-sockets.js';

const listener = (host: string, port = 25): ListenerConfig =>
  ({ name: `${host} ${port}`, address: { host, port } }) as ListenerConfig;

const socket = (address: string, port = 25): { address: AddressInfo } => ({
  address: { address, port, family: address.includes(':') ? 'IPv6' : 'IPv4' },
});

test('each socket goes to the listener with its address and port', (t) => {
  const [mx, submissions] = [listener('::'), listener('::', 465)];
  const [first, second] = [socket('::', 465), socket('::')];
  const assigned = assignSockets([mx, submissions], [first, second]);
  t.strictSame(assigned.get(mx), [second]);
  t.strictSame(assigned.get(submissions), [first]);
  t.end();
});

test('an address may be written in any way', (t) => {
  for (const [written, bound] of [
    ['0:0::0', '::'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '::ffff:192.0.2.1'],
  ] as const) {
    t.equal(assignSockets([listener(written)], [socket(bound)]).size, 1, `${written} is ${bound}`);
  }
  t.end();
});

test('a listener on [::] takes one socket for each of IPv6 and IPv4 together', (t) => {
  const mx = listener('::');
  const sockets = [socket('0.0.0.0'), socket('::')];
  t.strictSame(assignSockets([mx], sockets).get(mx), sockets);
  t.end();
});

test('an IPv4 socket goes to the listener for IPv4 before the one for both', (t) => {
  const [both, ipv4] = [listener('::'), listener('0.0.0.0')];
  const sockets = [socket('::'), socket('0.0.0.0')];
  const assigned = assignSockets([both, ipv4], sockets);
  t.strictSame(assigned.get(both), [sockets[0]]);
  t.strictSame(assigned.get(ipv4), [sockets[1]]);
  t.end();
});

test('a listener may be without a socket of systemd', (t) => {
  t.equal(assignSockets([listener('::'), listener('::', 465)], [socket('::')]).size, 1);
  t.end();
});

test('a socket that serves more or fewer clients than a listener asks for is refused, with both addresses', (t) => {
  t.throws(() => assignSockets([listener('0.0.0.0')], [socket('::')]), {
    message: /socket for \[::\]:25, .* only 0\.0\.0\.0:25; disable/,
  });
  t.throws(() => assignSockets([listener('::')], [socket('0.0.0.0')]), { message: /only \[::\]:25/ });
  t.throws(() => assignSockets([listener('::')], [socket('::', 587)]), { message: /\[::\]:587/ });
  t.throws(() => assignSockets([listener('::')], [{ address: '/run/x' as unknown as AddressInfo }]), {
    message: /unix:\/run\/x/,
  });
  t.end();
});
