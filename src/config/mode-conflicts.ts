/** Keys that the mode of a listener, or the tls of a backend, leaves no room for. */
import type { Problem } from './config-error.js';
import { passesTlsOn } from './passthrough.js';
import type { Config } from './schema.js';
import type { TomlPositions } from './toml-positions.js';

/** Where a key of an array of tables stands. */
export type At = (table: string, index: number, key: string) => Pick<Problem, 'line' | 'key'>;

export function modeConflicts(config: Config, at: At, positions: TomlPositions): Problem[] {
  return [
    ...uselessTls(config, at),
    ...impossibleIdentities(config, at),
    ...uncheckedTrust(config, at),
    ...smtpWithoutSmtp(config, at, positions),
    ...observedOptions(config, at),
  ];
}

function uselessTls({ backends }: Config, at: At): Problem[] {
  return backends.flatMap(({ tls, modern, tlsCa, tlsName, tlsPin }, index) => {
    if (modern === 'passthrough' && !passesTlsOn(tls)) {
      return [
        { ...at('backend', index, 'modern'), message: '"passthrough" needs a backend with tls = "bridge"' },
      ];
    }
    const given = Object.entries({ 'tls-ca': tlsCa, 'tls-name': tlsName, 'tls-pin': tlsPin });
    return given.flatMap(([key, value]) =>
      value !== undefined && (tls === 'none' || tls === 'observe')
        ? [
            {
              ...at('backend', index, key),
              message: `has no effect with tls = "${tls}"; remove it, or set tls = "starttls" or "implicit"`,
            },
          ]
        : [],
    );
  });
}

/**
 * XCLIENT is an SMTP command: it cannot be sent where the client's TLS goes through to the backend from its first byte.
 */
function impossibleIdentities({ backends, listeners }: Config, at: At): Problem[] {
  return backends.flatMap(({ name, identity, tls, modern = 'passthrough' }, index) => {
    const implicit = listeners.find((one) => one.backend === name && one.mode === 'implicit');
    const why = IMPOSSIBLE_IDENTITIES[identity];
    if (tls === 'observe' && identity === 'xclient') {
      return [{ ...at('backend', index, 'identity'), message: OBSERVED_XCLIENT }];
    }
    if (why === undefined || !passesTlsOn(tls) || modern !== 'passthrough' || implicit === undefined)
      return [];
    return [
      {
        ...at('backend', index, 'identity'),
        message:
          `"${identity}" ${why} clients of listener "${implicit.name}" whose TLS goes through to the backend from the ` +
          `first byte; use "proxy-v2" or "proxy-v1"${tls === 'bridge' ? ', or set modern = "terminate"' : ''}`,
      },
    ];
  });
}

/** With "none" each session begins with a check of ours, but with "observe" the client's bytes are the first ones. */
function uncheckedTrust({ backends, listeners }: Config, at: At): Problem[] {
  return backends.flatMap(({ name, identity, tls, acknowledgeRelayRisk }, index) => {
    if (tls !== 'observe' || identity !== 'none' || acknowledgeRelayRisk) return [];
    const user = listeners.find((one) => one.backend === name && one.mode === 'starttls');
    if (user === undefined) return [];
    const message =
      'with "none" and tls = "observe", sessions begin without the check whether the backend accepts XCLIENT or XFORWARD ' +
      `from the address of oldhello, and so from every client of listener "${user.name}". Use "proxy-v2" or "proxy-v1", ` +
      'or, if `oldhello check` finds that the backend accepts neither, set acknowledge-relay-risk = true';
    return [{ ...at('backend', index, 'identity'), message }];
  });
}

/** What is done in SMTP, where a listener with mode = "tcp" passes another protocol. */
function smtpWithoutSmtp({ listeners, backends }: Config, at: At, positions: TomlPositions): Problem[] {
  const ofListeners = listeners.flatMap(({ mode }, index) =>
    (['auth', 'bare-lf'] as const).flatMap((key) =>
      mode === 'tcp' && positions.exactLineOf(`listener[${index}].${key}`) !== undefined
        ? [
            {
              ...at('listener', index, key),
              message: 'is about SMTP, which mode = "tcp" does not read; remove it',
            },
          ]
        : [],
    ),
  );
  const ofBackends = backends.flatMap(({ name, identity, tls }, index): Problem[] => {
    const user = listeners.find((one) => one.backend === name && one.mode === 'tcp');
    if (user === undefined) return [];
    const where = `for listener "${user.name}" with mode = "tcp"`;
    return [
      ...(identity === 'xclient'
        ? [
            {
              ...at('backend', index, 'identity'),
              message: `"xclient" is a command of SMTP, and cannot be sent ${where}; use "proxy-v2" or "proxy-v1", or another backend`,
            },
          ]
        : []),
      ...(tls === 'starttls'
        ? [
            {
              ...at('backend', index, 'tls'),
              message: `"starttls" is a command of SMTP, and cannot be sent ${where}; use "none", "implicit" or "bridge", or another backend`,
            },
          ]
        : []),
    ];
  });
  return [...ofListeners, ...ofBackends];
}

/** What asks for more than to watch. */
function observedOptions({ backends, listeners }: Config, at: At): Problem[] {
  const observed = backends.filter(({ tls }) => tls === 'observe').map(({ name }) => name);
  const message = 'cannot be kept, because tls = "observe" passes everything on to the backend';
  return [
    ...backends.flatMap(({ tls, modern = 'passthrough' }, index) =>
      tls === 'observe' && modern !== 'passthrough'
        ? [{ ...at('backend', index, 'modern'), message: `"${modern}" ${message}` }]
        : [],
    ),
    ...listeners.flatMap(({ backend, auth, bareLf }, index) => {
      if (!observed.includes(backend)) return [];
      return [
        ...(auth === 'strong-tls'
          ? [{ ...at('listener', index, 'auth'), message: `"${auth}" ${message}` }]
          : []),
        ...(bareLf === 'reject'
          ? [{ ...at('listener', index, 'bare-lf'), message: `"${bareLf}" ${message}` }]
          : []),
      ];
    }),
  ];
}

const OBSERVED_XCLIENT = '"xclient" cannot be sent with tls = "observe"; use "proxy-v2" or "proxy-v1"';
/** Why an identity does not work where the client's encrypted bytes are the first ones that the backend gets. */
const IMPOSSIBLE_IDENTITIES: Readonly<Partial<Record<Config['backends'][number]['identity'], string>>> = {
  xclient: 'cannot be sent for',
  none: 'does not allow to check whether the backend accepts XCLIENT from',
};
