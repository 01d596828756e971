/** A whole oldhello in front of a sink, with everything allowed, for clients of every age. */
import { startProgram, type Program } from './program.js';
import { startTestSink, type TestSink } from './sink.js';

export interface MailPath {
  readonly program: Program;
  readonly sink: TestSink;
  readonly port: (mode: 'starttls' | 'implicit') => number;
  stop(): Promise<void>;
}

/**
 * @param tls lines of the [tls] table
 * @param backend further lines of the [[backend]] table
 * @param limits lines of the [limits] table
 */
export async function startMailPath(
  tls = 'profile = "ancient"',
  backend = '',
  limits = '',
): Promise<MailPath> {
  const sink = await startTestSink();
  const program = await startProgram(
    `
[server]
hostname = "proxy.example"
state-directory = "STATE"
[[listener]]
name = "starttls"
address = "127.0.0.1:0"
mode = "starttls"
backend = "sink"
[[listener]]
name = "implicit"
address = "127.0.0.1:0"
mode = "implicit"
backend = "sink"
[[backend]]
name = "sink"
address = "127.0.0.1:${sink.port}"
identity = "proxy-v2"
${backend}
[tls]
${tls}
[limits]
${limits}
`,
    2,
  );
  return {
    program,
    sink,
    port: (mode) => program.ports.get(mode)!,
    async stop() {
      await program.stop();
      sink.close();
    },
  };
}
