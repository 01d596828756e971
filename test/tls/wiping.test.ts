/** Buffers of secrets are overwritten when they are used up, however a handshake ends. */
import * as crypto from 'node:crypto';
import { test } from 'tap';
import type { ServerParameters, Session, TicketProtector } from '../../src/tls/index.js';
import { CIPHER_SUITE_BY_ID } from '../../src/tls/cipher-suites.js';
import { MAX_SEED_BYTES, ShortHmac } from '../../src/tls/crypto/short-hmac.js';
import type { DirectionKeys, ProtectionParameters } from '../../src/tls/record/protection.js';
import * as versions from '../../src/tls/handshake/version-rules.js';
import { TestClient, type HelloOptions } from '../support/test-client.js';
import { TestServer } from '../support/test-server.js';
import { inPlaceOf } from '../support/in-place-of.js';
import { testSession } from '../support/session.js';

const TICKET = Buffer.from('a ticket');
const EMS = [23, Buffer.alloc(0)] as const;

/** Tickets whose content stays in sight. */
class Tickets implements TicketProtector {
  readonly lifetimeHint = 1;
  given: Session | undefined;
  readonly held = testSession();

  protect(session: Session): Buffer {
    this.given = session;
    return TICKET;
  }

  unprotect(): Session {
    return this.held;
  }
}

interface Visit {
  readonly server: TestServer;
  readonly client: TestClient;
  readonly secret: Buffer;
}

/** A client that comes with a ticket. */
function visit(options: HelloOptions, parameters: Partial<ServerParameters> = {}): Visit {
  const tickets = new Tickets();
  const server = new TestServer({ tickets, ...parameters });
  const client = new TestClient({ extensions: [EMS, [35, TICKET]], ...options });
  client.resume(Buffer.from(tickets.held.masterSecret));
  server.receive(client.hello());
  client.receive(server.take());
  return { server, client, secret: tickets.held.masterSecret };
}

const isWiped = (secret: Buffer): boolean => secret.every((byte) => byte === 0);

test('the master secret of a resumed session is wiped when the handshake has ended, in whatever way', async (t) => {
  const done = visit({});
  t.equal(isWiped(done.secret), false, 'it is needed until Finished');
  const changeCipherSpec = done.client.changeCipherSpec();
  done.client.protectWrites();
  done.server.receive(Buffer.concat([changeCipherSpec, done.client.finished()]));
  t.equal(done.server.established?.resumed, true);
  t.ok(isWiped(done.secret), 'done');

  const refused = visit({});
  refused.server.receive(refused.client.seal(23, Buffer.from('x')));
  t.ok(refused.server.refusal);
  t.ok(isWiped(refused.secret), 'refused');

  const gone = visit({});
  gone.server.connection.abandon();
  t.ok(isWiped(gone.secret), 'given up');

  const tickets = new Tickets();
  const server = new TestServer({ tickets });
  server.transmitted = () => server.connection.abandon();
  const client = new TestClient({ extensions: [EMS, [35, TICKET]] });
  server.receive(client.hello());
  t.equal(server.connection.state, 'ended');
  t.ok(isWiped(tickets.held.masterSecret), 'given up by its host while it was at work');
});

test('so is that of a session that may not be resumed', async (t) => {
  const changed = visit({}, { sessionContext: 'another' });
  t.ok(changed.client.messages.includes(14), 'a full handshake');
  t.ok(isWiped(changed.secret));
  const dropped = visit({ extensions: [[35, TICKET]] });
  t.equal(dropped.server.refusal, 'extended_master_secret_missing');
  t.ok(isWiped(dropped.secret));
});

test('what went into a ticket is not kept beside it', async (t) => {
  const tickets = new Tickets();
  const server = new TestServer({ tickets });
  const client = new TestClient({ extensions: [[35, Buffer.alloc(0)]] });
  server.receive(client.hello());
  client.receive(server.take());
  server.receive(client.secondFlight());
  t.ok(server.established);
  t.ok(isWiped(tickets.given!.masterSecret));
});

test('the state in a ticket is wiped when it is sealed, and when it is opened', async (t) => {
  let state: Buffer | undefined;
  const opened: Buffer[] = [];
  const createCipheriv = (...inputs: Parameters<typeof crypto.createCipheriv>): crypto.Cipher => {
    const cipher = crypto.createCipheriv(...inputs);
    const update = cipher.update.bind(cipher);
    cipher.update = ((bytes: Buffer) => {
      state = bytes;
      return update(bytes);
    }) as typeof cipher.update;
    return cipher;
  };
  const createDecipheriv = (...inputs: Parameters<typeof crypto.createDecipheriv>): crypto.Decipher => {
    const decipher = crypto.createDecipheriv(...inputs);
    const update = decipher.update.bind(decipher);
    decipher.update = ((bytes: Buffer) => {
      const state = update(bytes);
      opened.push(state);
      return state;
    }) as typeof decipher.update;
    return decipher;
  };
  const { TicketKeys } = await t.mockImport<typeof import('../../src/tls/session/tickets.js')>(
    '../../src/tls/session/tickets.js',
    { 'node:crypto': { ...crypto, createCipheriv, createDecipheriv } },
  );
  const tickets = new TicketKeys(1, () => 0, crypto.randomBytes);
  tickets.setKeys([crypto.randomBytes(48)]);
  const { held } = new Tickets();
  const ticket = tickets.protect(held)!;
  t.same(tickets.unprotect(ticket), held);
  t.ok(isWiped(state!));
  ticket[ticket.length - 1]! ^= 1;
  t.equal(tickets.unprotect(ticket), undefined);
  t.equal(opened.length, 2);
  for (const state of opened) t.ok(isWiped(state));
});

test('premaster secret, master secret and key block are wiped in every version', async (t) => {
  const secrets: Record<string, Buffer> = {};
  const versionRules = (version: 0x0300): versions.VersionRules => {
    const rules = versions.versionRules(version);
    return {
      ...rules,
      masterSecret(suite, premaster, seed) {
        secrets['premaster'] = premaster;
        return (secrets['master'] = rules.masterSecret(suite, premaster, seed));
      },
      keyBlock: (...inputs) => (secrets['key block'] = rules.keyBlock(...inputs)),
    };
  };
  const steps = await t.mockImport<typeof import('../../src/tls/handshake/handshake-steps.js')>(
    '../../src/tls/handshake/handshake-steps.js',
    inPlaceOf('../../src/tls/handshake/version-rules', { versionRules }),
  );
  const handshake = await t.mockImport<typeof import('../../src/tls/handshake/server-handshake.js')>(
    '../../src/tls/handshake/server-handshake.js',
    inPlaceOf('../../src/tls/handshake/handshake-steps', steps),
  );
  const { ServerConnection } = await t.mockImport<typeof import('../../src/tls/server-connection.js')>(
    '../../src/tls/server-connection.js',
    inPlaceOf('../../src/tls/handshake/server-handshake', handshake),
  );
  for (const version of [0x0300, 0x0301, 0x0302, 0x0303]) {
    const server = new TestServer({}, undefined, ServerConnection);
    const client = new TestClient({ version });
    server.receive(client.hello());
    client.receive(server.take());
    server.receive(client.secondFlight());
    t.ok(server.established);
    t.same(Object.keys(secrets), ['premaster', 'master', 'key block']);
    for (const [name, secret] of Object.entries(secrets)) t.ok(isWiped(secret), name);
  }
});

test('cipher keys that OpenSSL or RC4 has taken in are wiped; those that each record needs are not', async (t) => {
  const taken: DirectionKeys[] = [];
  const { connectionProtection } = await t.mockImport<
    typeof import('../../src/tls/handshake/key-schedule.js')
  >(
    '../../src/tls/handshake/key-schedule.js',
    inPlaceOf('../../src/tls/record/create-protection', {
      createReadProtection: ({ keys }: ProtectionParameters) => taken.push(keys),
      createWriteProtection: ({ keys }: ProtectionParameters) => taken.push(keys),
    }),
  );
  const suites = { RC4: 0x0005, 'AES-CBC': 0x002f, 'AES-GCM': 0x009c } as const;
  for (const [name, id] of Object.entries(suites)) {
    const suite = CIPHER_SUITE_BY_ID.get(id)!;
    const rules = versions.versionRules(id === suites['AES-GCM'] ? 0x0303 : 0x0301);
    taken.length = 0;
    connectionProtection({
      rules,
      suite,
      masterSecret: Buffer.alloc(48, 5),
      seed: Buffer.alloc(64, 6),
      encryptThenMac: false,
      random: crypto.randomBytes,
    });
    t.equal(taken.length, 2);
    for (const { macKey, key, iv } of taken) {
      t.equal(isWiped(key), id !== suites['AES-GCM'], `${name}: key`);
      t.ok(iv.length === 0 || isWiped(iv) === (id !== suites['AES-GCM']), `${name}: IV`);
      t.ok(macKey.length === 0 || !isWiped(macKey), `${name}: MAC key`);
    }
  }
});

test('the PRF of TLS 1.0 leaves nothing behind but its answer', async (t) => {
  const seeds = new Set<Uint8Array>();
  let wiped = 0;
  class Spied extends ShortHmac {
    override xorExpansion(seed: Uint8Array, output: Uint8Array): void {
      seeds.add(seed);
      super.xorExpansion(seed, output);
    }

    override wipe(): void {
      wiped += 1;
      super.wipe();
    }
  }
  const { prfTls10 } = await t.mockImport<typeof import('../../src/tls/crypto/prf.js')>(
    '../../src/tls/crypto/prf.js',
    inPlaceOf('../../src/tls/crypto/short-hmac', { MAX_SEED_BYTES, ShortHmac: Spied }),
  );
  const answer = prfTls10(Buffer.alloc(48, 5), 'label', Buffer.alloc(64, 6), 104);
  t.notOk(isWiped(answer));
  t.equal(wiped, 2, 'MD5 and SHA-1');
  t.equal(seeds.size, 1);
  for (const seed of seeds) t.ok(isWiped(Buffer.from(seed)));
});
