/** What each profile does with a hello: the engine itself decides, with a certificate that does not exist. */
import { explainFailure } from '../observe/explain.js';
import { ServerHelloWatch } from '../observe/hello/server-hello.js';
import { route } from '../proxy/termination/route.js';
import {
  PRESETS,
  ServerConnection,
  TLS_1_3,
  type Accepted,
  type Credential,
  type PresetName,
  type ServerParameters,
} from '../tls/index.js';

export type Answer =
  | { readonly profile: PresetName; readonly serves: true; readonly path: 'native' }
  | {
      readonly profile: PresetName;
      readonly serves: true;
      readonly path: 'engine';
      readonly version: string;
      readonly suite: string;
    }
  | {
      readonly profile: PresetName;
      readonly serves: false;
      readonly reason: string;
      readonly explanation: string;
    };

/** For a listener with an RSA certificate, which old clients need. */
export function answersOf(accepted: Accepted): Answer[] {
  if (accepted.kind === 'client_hello') {
    const path = route(accepted, { modern: 'terminate', authentications: ['rsa'] });
    if (path === 'native') return PROFILES.map((profile) => ({ profile, serves: true, path }));
  }
  return PROFILES.map((profile) => answerOf(profile, accepted));
}

function answerOf(profile: PresetName, accepted: Accepted): Answer {
  const parameters: ServerParameters = { ...PRESETS[profile], ...STAND_IN };
  const sent: Buffer[] = [];
  let answer: Answer | undefined;
  const connection = new ServerConnection(parameters, {
    transmit: (bytes) => sent.push(Buffer.from(bytes)),
    operate: ({ kind }) => {
      connection.complete(kind === 'find_session' ? undefined : Buffer.alloc(RSA.modulusLength));
    },
    deliver: () => undefined,
    established: () => undefined,
    saveSession: () => undefined,
    forgetSession: () => undefined,
    ended: (outcome) => {
      if (outcome.kind !== 'refused') return;
      const { reason, detail } = outcome.error;
      const hello = accepted.kind === 'client_hello' ? accepted.hello : undefined;
      const explanation = explainFailure({ reason, detail, hello, parameters });
      answer = { profile, serves: false, reason, explanation };
    },
  });
  connection.accept(accepted);
  return answer ?? served(profile, Buffer.concat(sent));
}

function served(profile: PresetName, flight: Buffer): Answer {
  const agreed = new ServerHelloWatch().push(flight);
  if (agreed !== undefined) return { profile, serves: true, path: 'engine', ...agreed };
  const explanation = 'this is not TLS, or SSL 2.0 itself, which oldhello never accepts';
  return { profile, serves: false, reason: 'not_tls', explanation };
}

/** From the strictest on. */
const PROFILES = Object.keys(PRESETS) as PresetName[];

/** Stands for a certificate: only its kind and the length of its key are used. */
const RSA: Credential = {
  chain: [Buffer.alloc(0)],
  authentication: 'rsa',
  modulusLength: 256,
  curve: undefined,
  serverNames: [],
};

const STAND_IN = {
  credentials: [RSA],
  serviceMaxVersion: TLS_1_3,
  smallDhGroup: undefined,
  sessionIds: false,
  tickets: undefined,
  sessionContext: '',
  random: (length: number): Buffer => Buffer.alloc(length),
} as const;
