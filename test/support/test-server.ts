/** The engine with everything a test wants to see of it, and keys made for the occasion. */
import {
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import forge from 'node-forge';
import {
  Acceptor,
  CIPHER_SUITES,
  credentialFrom,
  performPrivateKeyOperation,
  PRESETS,
  ServerConnection,
  SessionCache,
  type Accepted,
  type Credential,
  type Established,
  type Operation,
  type Outcome,
  type ServerParameters,
  type Wait,
} from '../../src/tls/index.js';
import { ECDSA_CERTIFICATE, ECDSA_KEY } from './ecdsa-credential.js';

/** What is shown, and the private key that stays behind. */
export interface Held {
  readonly credential: Credential;
  readonly key: KeyObject;
}

/** Self-signed, RSA with 2048 bits, made once a process. */
export const RSA: Held = makeRsa();
/** For the same name, as a client without server_name gets no other. */
export const ECDSA: Held = {
  credential: {
    ...credentialFrom([new X509Certificate(ECDSA_CERTIFICATE)]),
    serverNames: RSA.credential.serverNames,
  },
  key: createPrivateKey(ECDSA_KEY),
};

/** One of those kept in test/support/credentials, a certificate and its key. */
export function heldIn(file: string): Held {
  const pem = readFileSync(new URL(`./credentials/${file}`, import.meta.url), 'utf8');
  return { credential: credentialFrom([new X509Certificate(pem)]), key: createPrivateKey(pem) };
}

function makeRsa(): Held {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signer = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(signer.n, signer.e);
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  certificate.setSubject([{ name: 'commonName', value: 'rsa.example' }]);
  certificate.setIssuer([{ name: 'commonName', value: 'rsa.example' }]);
  certificate.sign(signer, forge.md.sha256.create());
  return {
    credential: credentialFrom([new X509Certificate(forge.pki.certificateToPem(certificate))]),
    key: privateKey,
  };
}

/** Everything allowed, single DES too. */
export const EVERYTHING: ServerParameters = {
  ...PRESETS.ancient,
  cipherSuites: CIPHER_SUITES,
  credentials: [RSA.credential, ECDSA.credential],
  serviceMaxVersion: 0x0303,
  sessionIds: true,
  sessionContext: 'test',
  random: randomBytes,
};

export class TestServer {
  readonly connection: ServerConnection;
  sent: Buffer = Buffer.alloc(0);
  received: Buffer = Buffer.alloc(0);
  established: Established | undefined;
  outcome: Outcome | undefined;
  /** What the handshake waited for when it ended. */
  endWait: Wait | undefined;
  readonly operations: Operation[] = [];
  readonly sessions: SessionCache;
  /** Set to keep operations waiting until `completeOperations`. */
  hold = false;
  /** Called while the connection transmits: a peer in the same process, that answers at once. */
  transmitted: () => void = () => undefined;
  /** Called for each piece of application data, while the connection delivers it. */
  delivered: () => void = () => undefined;
  /** Called for each operation, in place of doing it. */
  operated: ((operation: Operation) => void) | undefined;
  /** How often the connection said that it has ended. */
  ends = 0;
  #held: Operation[] = [];

  constructor(
    parameters: Partial<ServerParameters> = {},
    sessions = new SessionCache(100, 3_600_000, () => 0),
    Connection = ServerConnection,
  ) {
    this.sessions = sessions;
    this.connection = new Connection(
      { ...EVERYTHING, ...parameters },
      {
        transmit: (bytes) => {
          this.sent = Buffer.concat([this.sent, bytes]);
          this.transmitted();
        },
        deliver: (plaintext) => {
          this.received = Buffer.concat([this.received, plaintext]);
          this.delivered();
        },
        operate: (operation) => {
          this.operations.push(operation);
          if (this.hold) this.#held.push(operation);
          else if (this.operated === undefined) this.complete(operation);
          else this.operated(operation);
        },
        established: (established) => (this.established = established),
        saveSession: (id, session) => sessions.save(id, session),
        forgetSession: (id) => sessions.forget(id),
        ended: (outcome, wait) => {
          this.outcome = outcome;
          this.endWait = wait;
          this.ends += 1;
          this.sent = Buffer.concat([this.sent, outcome.finalBytes]);
        },
      },
    );
  }

  completeOperations(): void {
    for (const operation of this.#held.splice(0)) this.complete(operation);
  }

  /** Does what was asked for, as an honest host would. */
  complete(operation: Operation): void {
    if (operation.kind === 'find_session') {
      this.connection.complete(this.sessions.find(operation.sessionId));
      return;
    }
    const { key } = operation.credential === ECDSA.credential ? ECDSA : RSA;
    this.connection.complete(performPrivateKeyOperation(operation, key));
  }

  receive(bytes: Buffer): void {
    this.connection.receive(Buffer.from(bytes));
  }

  /** As a host that looks at the hello first. */
  receiveAccepted(pieces: Iterable<Buffer>): void {
    const acceptor = new Acceptor();
    let accepted: Accepted | undefined;
    for (const piece of pieces) {
      if (accepted !== undefined) {
        this.receive(piece);
        continue;
      }
      accepted = acceptor.push(Buffer.from(piece));
      if (accepted !== undefined) this.connection.accept(accepted);
    }
  }

  /** What was sent since the last call. */
  take(): Buffer {
    const sent = this.sent;
    this.sent = Buffer.alloc(0);
    return sent;
  }

  /** The reason of a refusal. */
  get refusal(): string | undefined {
    return this.outcome?.kind === 'refused' ? this.outcome.error.reason : undefined;
  }
}
