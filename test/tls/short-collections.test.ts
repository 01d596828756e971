/** A handshake leaves nothing for the full garbage collection: else each short one would move all there was of it. */
import { test } from 'tap';
import { TestClient, vector16, type HelloOptions } from '../support/test-client.js';
import { bytesLeft } from '../support/short-collections.js';
import { TestServer } from '../support/test-server.js';

const GROUPS = [10, vector16(Buffer.from('0017', 'hex'))] as const;

const HANDSHAKES: Record<string, HelloOptions> = {
  'RSA, hello in SSLv2 format': { format: 'sslv2', suites: [0x2f] },
  ECDHE: { suites: [0xc013], extensions: [GROUPS] },
};

for (const [name, options] of Object.entries(HANDSHAKES)) {
  test(`what was made for a handshake goes with the next short collection: ${name}`, async (t) => {
    const left = await bytesLeft(() => {
      const server = new TestServer({ sessionIds: false });
      const client = new TestClient(options);
      server.receive(client.hello());
      client.receive(server.take());
      server.receive(client.secondFlight());
      client.receive(server.take());
      if (!client.serverFinished) throw new Error('no handshake');
    });
    t.ok(left < MOST, `${Math.round(left)} bytes`);
  });
}

/** Bytes; a handshake makes some 200 kB, of which 9 kB are alive at its end. */
const MOST = 5000;
