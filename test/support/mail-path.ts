/** A whole oldhello in front of a sink, with everything allowed, for clients of every age. */
import { startProgram, type Program } from './program.js';
import { BOTH_MODES, proxyConfig, type ProxyConfig } from './proxy-config.js';
import { startTestSink, type TestSink } from './sink.js';

export interface MailPath {
  readonly program: Program;
  readonly sink: TestSink;
  readonly port: (mode: 'starttls' | 'implicit') => number;
  stop(): Promise<void>;
}

export async function startMailPath(config: Omit<ProxyConfig, 'listeners'> = {}): Promise<MailPath> {
  const sink = await startTestSink();
  const backend = { address: sink.port, ...config.backend };
  const tls = { profile: 'ancient', ...config.tls };
  const toml = proxyConfig({ ...config, listeners: BOTH_MODES, backend, tls });
  const program = await startProgram(toml, BOTH_MODES.length);
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
