/** A real MTA behind oldhello: the mail arrives in its mailbox, and its log shows the true client. */
import { createTransport } from 'nodemailer';
import { test } from 'tap';
import { makeMessage } from '../support/message.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { postfixLack, startPostfix } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram } from '../support/program.js';

/** Another loopback address than the proxy's own, so that the two cannot be taken for each other. */
const CLIENT = '127.0.0.99';

for (const identity of ['proxy-v2', 'proxy-v1'] as const) {
  test(`an old client's mail reaches Postfix, which knows the client by ${identity}`, async (t) => {
    if (!hasPeer(t, 'postfix', postfixLack()) || !hasPeer(t, 'jdk', missing('jdk'))) return;
    const postfix = await startPostfix();
    const program = await startProgram(
      `
[server]
hostname = "proxy.example"
state-directory = "STATE"
[[listener]]
name = "mx"
address = "127.0.0.1:0"
mode = "starttls"
backend = "postfix"
[[backend]]
name = "postfix"
address = "127.0.0.1:${postfix.port}"
identity = "${identity}"
[tls]
profile = "ancient"
`,
      1,
    );
    const jdk = startJobClient('jdk');
    t.teardown(async () => {
      jdk.close();
      await program.stop();
      postfix.stop();
    });
    const message = makeMessage(1_000_000);
    const answer = await jdk.run({
      kind: 'mail',
      port: program.ports.get('mx')!,
      mode: 'starttls',
      protocols: 'SSLv2Hello,SSLv3',
      ciphers: 'SSL_RSA_WITH_RC4_128_MD5',
      helo: 'old.example',
      from: 'sender@old.example',
      to: 'recipient@new.example',
      file: message.file,
    });
    t.match(answer, { ok: true, protocol: 'SSLv3' });
    const delivered = await postfix.nextMessage();
    const content = delivered.slice(delivered.indexOf('From: sender@old.example')).replaceAll('\n', '\r\n');
    t.equal(content, message.bytes.toString('latin1'), 'the message is in the mailbox, whole');
    t.match(delivered, /^Received: from old\.example \(unknown \[127\.0\.0\.1\]\)/m);

    const transport = createTransport({
      host: '127.0.0.1',
      port: program.ports.get('mx')!,
      localAddress: CLIENT,
      requireTLS: true,
      name: 'modern.example',
      tls: { rejectUnauthorized: false },
    });
    await transport.sendMail({ from: 'sender@modern.example', to: 'recipient@new.example', text: 'hello' });
    transport.close();
    const modern = await postfix.nextMessage();
    t.match(modern, new RegExp(`^Received: from modern\\.example \\(unknown \\[${CLIENT}\\]\\)`, 'm'));
    t.match(postfix.log(), `client=unknown[${CLIENT}]`, "Postfix logs the client's address, not the proxy's");
    const sessions = [await program.nextSession(), await program.nextSession()];
    t.match(sessions[0], { hello: { format: 'sslv2' }, tls: { version: 'SSLv3' }, outcome: 'completed' });
    t.match(sessions[1], { client: { address: CLIENT }, tls: { version: 'TLSv1.3', path: 'native' } });
  });
}
