/** docs/backends.md: what each mail server does behind oldhello, and the lines that test/interop/backends proves. */
import { readdirSync } from 'node:fs';
import { test } from 'tap';
import { ABILITIES, BACKEND_GUIDES, type Ability, type BackendGuide } from '../support/backend-guides.js';
import { checkDoc, table } from '../support/generated-doc.js';

const guides: Readonly<Record<string, BackendGuide>> = BACKEND_GUIDES;

const abilities = Object.keys(ABILITIES) as Ability[];
const overview = table(
  ['', ...abilities.map((ability) => ABILITIES[ability])],
  Object.entries(guides).map(([name, guide]) => [
    `[${name}](#${name.toLowerCase()})`,
    ...abilities.map((ability) => guide.abilities[ability]),
  ]),
);

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``;

function section(name: string, { version, remarks, setups }: BackendGuide): string {
  const steps = Object.values(setups).map(({ title, lines, backend, note }) =>
    [
      `### ${name}: ${title}`,
      ...Object.entries(lines).map(([file, text]) => `In \`${file}\`:\n\n${fenced('', text)}`),
      `For oldhello:\n\n${fenced('toml', `[[backend]]\nname = "mta"\n${backend}`)}`,
      ...(note === undefined ? [] : [note]),
    ].join('\n\n'),
  );
  const said = remarks.map((remark) => `- ${remark}`).join('\n');
  return [`## ${name}`, `Tested: ${version}.`, said, ...steps].join('\n\n');
}

const PAGE = `# Mail servers behind oldhello

Generated from \`test/support/backend-guides.ts\` by \`npm run docs\`; do not edit. The tests in
\`test/interop/backends\` set up each of these servers with the very lines below, and deliver to it by a client with an
SSLv2-format hello and by one with TLS 1.3, each from an address of its own, which the server must name.

${overview}

- PROXY v1, PROXY v2, XCLIENT: how the server can be told who the client is, \`identity\` in oldhello's \`[[backend]]\`.
- own STARTTLS, own implicit TLS: oldhello ends the client's TLS and goes on in the server's own, \`tls = "starttls"\` or
  \`tls = "implicit"\`. Needed where the server lets nobody log in without; and where it is on another host.
- bridge: clients of today get the TLS of the server itself, to the end; oldhello ends TLS of old ones only.
- AUTH: logins by PLAIN, from both clients.

In each setup, \`/etc/ssl/backend.crt\` and \`.key\` are the server's own certificate for \`backend.example\`, and
\`/etc/oldhello/backend-ca.pem\` who signed it (for a self-signed one, itself). \`tls-pin\` does instead of the two lines
with \`tls-ca\` and \`tls-name\`. The lines of each setup come on top of those of the setups before it.

What oldhello and the client agreed on is in the PROXY v2 header, which none of these servers looks at: their logs and
\`Received\` fields tell of the TLS between them and oldhello.

${Object.entries(guides)
  .map(([name, guide]) => section(name, guide))
  .join('\n\n')}
`;

test('docs/backends.md is what the guides say', async (t) => {
  checkDoc(t, 'backends.md', PAGE);
});

test('every guide is proven, and says how to do each thing that it says can be done', async (t) => {
  const proofs = readdirSync(new URL('../interop/backends/', import.meta.url));
  for (const [name, { abilities: can, setups }] of Object.entries(guides)) {
    t.ok(proofs.includes(`${name.toLowerCase()}.test.ts`), `${name} has a test with the server itself`);
    for (const ability of ['starttls', 'implicit', 'bridge', 'auth'] as const) {
      t.equal(ability in setups, can[ability] === 'yes', `${name}: ${ABILITIES[ability]}`);
    }
  }
});
