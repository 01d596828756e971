/** What each mail server does behind oldhello, and how to set it up. */
import { ABILITIES, BACKEND_GUIDES, type Ability, type BackendGuide } from './backend-guides.js';
import type { Blocks } from './blocks.js';
import { table } from './table.js';

export const guides: Readonly<Record<string, BackendGuide>> = BACKEND_GUIDES;

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

export const backends = (): Blocks => ({
  overview,
  guides: Object.entries(guides)
    .map(([name, guide]) => section(name, guide))
    .join('\n\n'),
});
