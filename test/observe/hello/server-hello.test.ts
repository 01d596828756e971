/** What a backend agreed on with a client, read from the bytes that pass by. */
import { test } from 'tap';
import { ServerHelloWatch, type AgreedTls } from '../../../src/observe/hello/server-hello.js';
import { EMPTY_SERVER_HELLO, HELLO_RETRY_REQUEST, serverHelloRecord } from '../../support/server-hellos.js';

function watch(bytes: Buffer, size: number): AgreedTls[] {
  const watch = new ServerHelloWatch();
  const seen: AgreedTls[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const agreed = watch.push(bytes.subarray(at, at + size));
    if (agreed !== undefined) seen.push(agreed);
  }
  return seen;
}

test('version and suite are read once, however the bytes are cut', async (t) => {
  const tls12 = serverHelloRecord({ sessionId: 32, suite: 0xc02f });
  const tls13 = serverHelloRecord({ sessionId: 0, suite: 0x1301, selectedVersion: 0x0304 });
  const more = Buffer.alloc(3000, 0x16);
  for (const size of [1, 7, 4000]) {
    t.same(watch(Buffer.concat([tls12, more]), size), [
      { version: 'TLSv1.2', suite: 'ECDHE-RSA-AES128-GCM-SHA256' },
    ]);
    t.same(watch(Buffer.concat([tls13, more]), size), [
      { version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256' },
    ]);
  }
});

test('a HelloRetryRequest agrees on nothing; the ServerHello after it does', async (t) => {
  const tls13 = serverHelloRecord({ sessionId: 32, suite: 0x1302, selectedVersion: 0x0304 });
  const agreed = { version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' };
  for (const between of ['', '140303000101']) {
    const asked = Buffer.concat([HELLO_RETRY_REQUEST, Buffer.from(between, 'hex')]);
    for (const size of [1, 7, 4000]) {
      t.same(watch(asked, size), []);
      t.same(watch(Buffer.concat([asked, tls13, Buffer.alloc(100)]), size), [agreed]);
    }
  }
});

test('a ServerHello whose length is too short for its fields is passed over', async (t) => {
  for (const size of [1, 7, 4000]) t.same(watch(EMPTY_SERVER_HELLO, size), []);
  const whole = serverHelloRecord({ sessionId: 32, suite: 0xc02f });
  for (let length = 0; length < 70; length++) {
    const short = Buffer.from(whole);
    short.writeUIntBE(length, 6, 3);
    t.same(watch(short, 4000), [], `length ${length}`);
  }
});

test('an alert, SMTP and silence are no ServerHello', async (t) => {
  for (const bytes of [Buffer.from('15030100020228', 'hex'), Buffer.from('220 mx ESMTP\r\n'.repeat(10))])
    t.same(watch(bytes, 4000), []);
  t.same(watch(Buffer.alloc(0), 1), []);
});
