/** The engine between a client's bytes and SMTP: who is read when, and how it ends. */
import { mock } from 'node:test';
import { test } from 'tap';
import { EngineChannel, type EngineServices } from '../../../src/proxy/termination/engine-channel.js';
import { NO_HANDLER, type Channel } from '../../../src/proxy/transport/channel.js';
import {
  Acceptor,
  performPrivateKeyOperation,
  type Outcome,
  type ServerParameters,
} from '../../../src/tls/index.js';
import { TestClient, type HelloOptions } from '../../support/test-client.js';
import { EVERYTHING, RSA } from '../../support/test-server.js';

/** The client's side of the transport, and what was done to it. */
class Raw implements Channel {
  handler = NO_HANDLER;
  readonly calls: string[] = [];
  written: Buffer = Buffer.alloc(0);
  paused = true;

  write(bytes: Uint8Array): void {
    this.written = Buffer.concat([this.written, bytes]);
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

/** A channel, a client in the middle of its handshake, and all that happens. */
class Rig {
  readonly raw = new Raw();
  readonly client: TestClient;
  readonly channel: EngineChannel;
  readonly seen: string[] = [];
  outcome: Outcome | undefined;
  /** Does what the private key was asked for, where `hold` kept it waiting. */
  answer: (() => void) | undefined;
  hold = false;

  constructor(options: HelloOptions = {}, parameters: Partial<ServerParameters> = {}) {
    this.client = new TestClient(options);
    const keys = {
      operate: (operation, done) => {
        const answer = (): void => done(performPrivateKeyOperation(operation, RSA.key));
        if (this.hold) this.answer = answer;
        else answer();
      },
    } as Pick<EngineServices['keys'], 'operate'> as EngineServices['keys'];
    const sessions = { find: () => undefined, save: () => undefined, forget: () => undefined };
    const events = {
      established: () => this.seen.push('established'),
      ended: (outcome: Outcome) => {
        this.outcome = outcome;
      },
    };
    this.channel = new EngineChannel(this.raw, { ...EVERYTHING, ...parameters }, { keys, sessions }, events);
    this.channel.handler = {
      data: (bytes) => this.seen.push(bytes.toString()),
      full: () => this.seen.push('full'),
      drain: () => this.seen.push('drain'),
      end: (orderly) => this.seen.push(`end ${orderly}`),
      closed: (error) => this.seen.push(`closed ${error?.message}`),
    };
    this.channel.accept(new Acceptor().push(this.client.hello())!);
    this.read();
  }

  /** The client reads what there is for it. */
  read(): void {
    this.client.receive(this.raw.written);
    this.raw.written = Buffer.alloc(0);
  }

  establish(): this {
    this.receive(this.client.secondFlight());
    this.read();
    this.seen.length = 0;
    return this;
  }

  receive(...bytes: Buffer[]): void {
    this.raw.handler.data(Buffer.concat(bytes));
  }

  say(text: string): Buffer {
    return this.client.seal(23, Buffer.from(text));
  }

  get closeNotify(): Buffer {
    return this.client.seal(21, Buffer.of(1, 0));
  }
}

test('a host that pauses gets nothing more until it resumes, then everything in order', async (t) => {
  for (const suite of [0x05, 0x2f]) {
    const rig = new Rig({ suites: [suite] }).establish();
    rig.channel.handler = {
      ...rig.channel.handler,
      data: (bytes) => {
        rig.seen.push(bytes.toString());
        rig.channel.pause();
      },
    };
    rig.receive(rig.say('1'), rig.say('2'), rig.say('3'));
    t.same(rig.seen, ['1']);
    rig.channel.resume();
    t.same(rig.seen, ['1', '2'], 'one more, because the host pauses again');
    rig.channel.resume();
    t.same(rig.seen, ['1', '2', '3']);
    rig.channel.resume();
    t.equal(rig.seen.length, 3);
    t.equal(rig.raw.paused, false, 'and the socket is read again');
    rig.raw.handler.closed(undefined);
  }
});

test('nothing is held any longer when the client has ended, because its transport may close now', async (t) => {
  const ends: [seen: string, end: (rig: Rig) => void][] = [
    ['end true', (rig) => rig.receive(rig.closeNotify)],
    ['end false', (rig) => rig.raw.handler.end(true)],
  ];
  for (const [seen, end] of ends) {
    const rig = new Rig({ suites: [0x05] }).establish();
    rig.channel.pause();
    rig.receive(rig.say('1'), rig.say('2'));
    t.same(rig.seen, []);
    end(rig);
    rig.raw.handler.closed(undefined);
    t.same(rig.seen, ['1', '2', seen, 'closed undefined']);
    rig.channel.resume();
    t.equal(rig.seen.length, 4, 'each once');
  }
});

test('what is held for a paused host is not overwritten by what comes after', async (t) => {
  const rig = new Rig({ suites: [0x05] }).establish();
  rig.channel.pause();
  const chunk = rig.say('EHLO old.example');
  rig.receive(chunk);
  chunk.fill(0);
  const other = Buffer.from(rig.say('QUIT'));
  rig.raw.handler.data(other);
  other.fill(0);
  rig.channel.resume();
  t.same(rig.seen, ['EHLO old.example', 'QUIT']);
});

test('the socket is not read while the host pauses, nor while the private key is at work', async (t) => {
  const rig = new Rig();
  t.equal(rig.raw.paused, false, 'the client is to speak');
  rig.hold = true;
  rig.receive(rig.client.secondFlight());
  t.equal(rig.channel.waitingFor, 'private_key');
  t.equal(rig.raw.paused, true);
  rig.channel.resume();
  t.equal(rig.raw.paused, true, 'whatever the host says');
  rig.answer!();
  t.same(rig.seen, ['established']);
  t.equal(rig.channel.waitingFor, 'close');
  t.equal(rig.raw.paused, false);
  rig.channel.pause();
  t.equal(rig.raw.paused, true);
  rig.receive(rig.say('on its way'));
  t.equal(rig.raw.paused, true, 'what was on its way changes nothing');
  rig.channel.resume();
  t.equal(rig.raw.paused, false);
});

test('an answer of the private key after the host has paused does not read on', async (t) => {
  const rig = new Rig();
  rig.hold = true;
  rig.receive(rig.client.secondFlight());
  rig.channel.pause();
  rig.answer!();
  t.equal(rig.raw.paused, true);
});

test('a writer is notified when the socket is full, and when it has drained', async (t) => {
  const rig = new Rig().establish();
  rig.channel.write(Buffer.from('250 ok\r\n'));
  rig.raw.handler.full();
  t.same(rig.seen, ['full']);
  rig.raw.handler.drain();
  t.same(rig.seen, ['full', 'drain']);
  rig.read();
  t.equal(rig.client.data.toString(), '250 ok\r\n');
});

test('close_notify is answered, ends what the host reads, and half-closes; what comes behind it is not read', async (t) => {
  const rig = new Rig().establish();
  rig.receive(rig.closeNotify);
  rig.read();
  t.same(rig.client.alerts, [{ level: 1, description: 0 }]);
  t.match(rig.outcome, { kind: 'closed', by: 'client' });
  t.same(rig.seen, ['end true']);
  t.same(rig.raw.calls, ['end']);
  t.equal(rig.raw.paused, false, 'what still comes is drained');
  rig.receive(rig.say('more'));
  rig.channel.write(Buffer.from('more'));
  rig.read();
  t.equal(rig.client.data.length, 0);
  rig.raw.handler.end(true);
  t.same(rig.raw.calls, ['end'], 'nothing that is on its way to the client is cut off');
  rig.raw.handler.closed(undefined);
  t.same(rig.seen, ['end true', 'closed undefined']);
});

test('the host closes: close_notify, half a close, and no limit but its own for what a slow client has to read', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const rig = new Rig().establish();
  rig.channel.pause();
  rig.channel.end();
  rig.read();
  t.same(rig.client.alerts, [{ level: 1, description: 0 }]);
  t.same(rig.raw.calls, ['end']);
  rig.receive(rig.say('on its way'));
  t.same(rig.seen, ['end true'], 'who closes reads nothing more');
  t.equal(rig.raw.paused, false, 'unread input would turn the close into a reset');
  mock.timers.tick(60_000);
  t.same(rig.raw.calls, ['end']);
});

test('the client closes: it has a limit until it closes the transport too', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const rig = new Rig().establish();
  rig.receive(rig.closeNotify);
  mock.timers.tick(1_999);
  t.same(rig.raw.calls, ['end']);
  mock.timers.tick(1);
  t.same(rig.raw.calls, ['end', 'destroy']);

  const polite = new Rig().establish();
  polite.receive(polite.closeNotify);
  polite.raw.handler.closed(undefined);
  mock.timers.tick(10_000);
  t.same(polite.raw.calls, ['end'], 'a transport that has closed is not closed again');
});

test('a connection that is cut without close_notify is an end that is not orderly, and no refusal', async (t) => {
  const rig = new Rig().establish();
  rig.raw.handler.end(true);
  t.same(rig.seen, ['end false']);
  t.same(rig.raw.calls, ['end']);
  t.equal(rig.outcome, undefined);
  rig.channel.write(Buffer.from('more'));
  t.equal(rig.raw.written.length, 0, 'nothing is said any more');
});

test('the failure of a transport is reported once, with its error', async (t) => {
  const rig = new Rig().establish();
  rig.raw.handler.closed(new Error('reset'));
  t.same(rig.seen, ['closed reset']);
  rig.channel.end();
  t.equal(rig.raw.written.length, 0);
});

test('a host that destroys sends nothing to the client, and the handshake does not go on', async (t) => {
  const begun = new Rig();
  begun.hold = true;
  begun.receive(begun.client.secondFlight());
  begun.channel.destroy();
  begun.answer!();
  t.same(begun.seen, []);
  const rig = new Rig().establish();
  rig.channel.destroy();
  t.same(rig.raw.calls, ['destroy']);
  t.equal(rig.raw.written.length, 0);
  t.equal(rig.outcome, undefined);
});

test('only the alert for a bad MAC waits, for the next full 50 ms and some noise (Lucky 13)', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(performance, 'now', () => 1_030);
  t.teardown(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
  const noise = mock.method(Math, 'random', () => 0);
  /** Milliseconds until there is an alert. */
  const delay = (bytes: (rig: Rig) => Buffer): number => {
    const rig = new Rig().establish();
    rig.receive(bytes(rig));
    t.equal(rig.outcome?.kind, 'refused');
    rig.raw.handler.end(true);
    t.equal(rig.raw.calls.includes('destroy'), false, 'and no end of the client makes an end come before it');
    let waited = 0;
    for (; rig.raw.written.length === 0 && waited < 200; waited += 1) mock.timers.tick(1);
    t.same(rig.raw.calls, ['end']);
    t.same(rig.seen, [], 'and to the host it is no orderly end');
    return waited;
  };
  const badMac = (rig: Rig): Buffer => {
    const bytes = rig.say('x');
    bytes[bytes.length - 1]! ^= 1;
    return bytes;
  };
  t.equal(delay(badMac), 20);
  noise.mock.mockImplementation(() => 0.5);
  t.equal(delay(badMac), 45);
  t.equal(
    delay((rig) => rig.client.seal(22, Buffer.of(16, 0, 0, 0))),
    0,
    'what has nothing to do with a secret is said at once',
  );
});
