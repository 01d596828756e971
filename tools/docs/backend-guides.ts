/**
 * What each mail server can do behind oldhello, and the lines that make it do so. The tests in test/interop/backends
 * configure the real servers with these very lines, and docs/backends.md is made from them.
 */

/** What there is to know of a server: columns of the table in docs/backends.md. */
export const ABILITIES = {
  'proxy-v1': 'PROXY v1',
  'proxy-v2': 'PROXY v2',
  xclient: 'XCLIENT',
  starttls: 'own STARTTLS',
  implicit: 'own implicit TLS',
  bridge: 'bridge',
  auth: 'AUTH',
} as const satisfies Record<string, string>;

export type Ability = keyof typeof ABILITIES;

export interface Setup {
  readonly title: string;
  /** Where lines go, and the lines; they come on top of those of the setups before. */
  readonly lines: Readonly<Record<string, string>>;
  /** What goes into oldhello's [[backend]], its name apart. */
  readonly backend: string;
  readonly note?: string;
}

export interface BackendGuide {
  /** What the tests run. */
  readonly version: string;
  readonly abilities: Readonly<Record<Ability, 'yes' | 'no'>>;
  /** What the table cannot say. */
  readonly remarks: readonly string[];
  readonly setups: Readonly<Record<string, Setup>>;
}

const proxied = (port: number, identity = 'proxy-v2'): string =>
  `address = "127.0.0.1:${port}"\nidentity = "${identity}"`;
const TRUST = 'tls-ca = "/etc/oldhello/backend-ca.pem"\ntls-name = "backend.example"';

const POSTFIX_TLS = `-o smtpd_tls_security_level=may
  -o smtpd_tls_chain_files=/etc/ssl/backend.key,/etc/ssl/backend.crt`;

export const BACKEND_GUIDES = {
  Postfix: {
    version: 'Postfix 3.7 (Debian 12)',
    abilities: {
      'proxy-v1': 'yes',
      'proxy-v2': 'yes',
      xclient: 'yes',
      starttls: 'yes',
      implicit: 'yes',
      bridge: 'yes',
      auth: 'yes',
    },
    remarks: [
      'Each way is a service of its own in `master.cf`, so that the one on port 25 or 587 can stay as it is until you move it.',
      'Take `smtpd_authorized_xforward_hosts` off the addresses that oldhello connects from; it refuses to pass clients on to a server that would believe them.',
    ],
    setups: {
      plain: {
        title: 'Plain SMTP, PROXY protocol',
        lines: {
          'master.cf': `127.0.0.1:10025 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_tls_security_level=none`,
        },
        backend: proxied(10025),
      },
      xclient: {
        title: 'Plain SMTP, XCLIENT',
        lines: {
          'master.cf': `127.0.0.1:10026 inet n - n - - smtpd
  -o smtpd_authorized_xclient_hosts=127.0.0.1
  -o smtpd_tls_security_level=none`,
        },
        backend: proxied(10026, 'xclient'),
      },
      starttls: {
        title: "Postfix's own STARTTLS",
        lines: {
          'master.cf': `127.0.0.1:10027 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  ${POSTFIX_TLS}`,
        },
        backend: `${proxied(10027)}\ntls = "starttls"\n${TRUST}`,
      },
      implicit: {
        title: "Postfix's own TLS from the first byte",
        lines: {
          'master.cf': `127.0.0.1:10465 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_tls_wrappermode=yes
  ${POSTFIX_TLS}`,
        },
        backend: `${proxied(10465)}\ntls = "implicit"\n${TRUST}`,
      },
      bridge: {
        title: "Clients of today in Postfix's own TLS",
        lines: {},
        backend: `${proxied(10027)}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins, offered only inside TLS',
        lines: {
          'master.cf': `127.0.0.1:10587 inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  ${POSTFIX_TLS}
  -o smtpd_tls_auth_only=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject`,
          'sasl/smtpd.conf': `pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /etc/sasldb2
mech_list: PLAIN`,
        },
        backend: `${proxied(10587)}\ntls = "starttls"\n${TRUST}`,
        note: 'Users in a database of Cyrus SASL are for the test; any `smtpd_sasl_type` will do.',
      },
    },
  },
  Exim: {
    version: 'Exim 4.96 (Debian 12, with GnuTLS)',
    abilities: {
      'proxy-v1': 'yes',
      'proxy-v2': 'yes',
      xclient: 'no',
      starttls: 'yes',
      implicit: 'yes',
      bridge: 'yes',
      auth: 'yes',
    },
    remarks: [
      'On Debian it is the package `exim4-daemon-heavy`. The default, `exim4-daemon-light`, has no PROXY protocol: `main option "hosts_proxy" unknown`.',
      'XCLIENT came with `hosts_xclient` in Exim 4.97; 4.96 does not know the option. Nothing is lost: the PROXY protocol does the same.',
      '`hosts_proxy` takes both versions, and demands a header from the hosts it names on every port.',
    ],
    setups: {
      plain: {
        title: 'Plain SMTP',
        lines: {
          'main section': `local_interfaces = <; [127.0.0.1]:10025 ; [127.0.0.1]:10465
hosts_proxy = 127.0.0.1`,
        },
        backend: proxied(10025),
      },
      starttls: {
        title: "Exim's own STARTTLS",
        lines: {
          'main section': `tls_advertise_hosts = *
tls_certificate = /etc/ssl/backend.crt
tls_privatekey = /etc/ssl/backend.key`,
        },
        backend: `${proxied(10025)}\ntls = "starttls"\n${TRUST}`,
      },
      implicit: {
        title: "Exim's own TLS from the first byte",
        lines: { 'main section': 'tls_on_connect_ports = 10465' },
        backend: `${proxied(10465)}\ntls = "implicit"\n${TRUST}`,
      },
      bridge: {
        title: "Clients of today in Exim's own TLS",
        lines: {},
        backend: `${proxied(10025)}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins, offered only inside TLS',
        lines: {
          'section authenticators': `plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = \${if def:tls_in_cipher}
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{anna}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2`,
        },
        backend: `${proxied(10025)}\ntls = "starttls"\n${TRUST}`,
        note: 'The `server_condition` is for the test; yours looks users up.',
      },
    },
  },
  OpenSMTPD: {
    version: 'OpenSMTPD 7.4.0p1 (backports of Debian 12)',
    abilities: {
      'proxy-v1': 'no',
      'proxy-v2': 'yes',
      xclient: 'no',
      starttls: 'yes',
      implicit: 'no',
      bridge: 'yes',
      auth: 'yes',
    },
    remarks: [
      'A listener with `proxy-v2` believes whoever connects to it, so let it listen on loopback only, on a host without users who are not trusted.',
      'The OpenSMTPD 6.8.0p2 of Debian 12 itself fails in every TLS handshake of its own ("missing private key"; it knows no OpenSSL 3); `tls = "none"` works with it.',
      'Not `smtps`: what arrives together with the PROXY header is lost to its TLS, so that some handshakes never begin. STARTTLS has no such fault, also for clients that came by implicit TLS.',
      'It offers AUTH inside TLS only, so logins need `tls = "starttls"` or `tls = "bridge"`.',
    ],
    setups: {
      plain: {
        title: 'Plain SMTP',
        lines: { 'smtpd.conf': 'listen on 127.0.0.1 port 10025 proxy-v2' },
        backend: proxied(10025),
      },
      starttls: {
        title: "OpenSMTPD's own STARTTLS",
        lines: {
          'smtpd.conf': `pki backend.example cert "/etc/ssl/backend.crt"
pki backend.example key "/etc/ssl/backend.key"
listen on 127.0.0.1 port 10027 proxy-v2 tls pki backend.example`,
        },
        backend: `${proxied(10027)}\ntls = "starttls"\n${TRUST}`,
      },
      bridge: {
        title: "Clients of today in OpenSMTPD's own TLS",
        lines: {},
        backend: `${proxied(10027)}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins',
        lines: {
          'smtpd.conf': `table users { "anna" = "$6$x$mQUKLCQR1S846TztirS7Ejo4KyTtZWzcyuF2/43jqoJTDZXRb8L.bXBNxX9GCZhKdADbfqEnGZyv89igC73DL/" }
listen on 127.0.0.1 port 10587 proxy-v2 tls-require pki backend.example auth <users>`,
        },
        backend: `${proxied(10587)}\ntls = "starttls"\n${TRUST}`,
      },
    },
  },
  sendmail: {
    version: 'sendmail 8.17.1 (Debian 12)',
    abilities: {
      'proxy-v1': 'no',
      'proxy-v2': 'no',
      xclient: 'no',
      starttls: 'yes',
      implicit: 'yes',
      bridge: 'yes',
      auth: 'yes',
    },
    remarks: [
      'It can be told of clients in no way, so that its log, its limits by address and its blocklists see only oldhello. A PROXY header is an unknown command to it; oldhello then sees a reply that answers nothing, and closes (`reply_unexpected`).',
      'It relays for 127.0.0.1 whatever its access table says: behind oldhello on the same host it is an open relay, unless `Local_check_rcpt` says otherwise, as below.',
      'Behind an implicit-TLS listener, `bridge` needs `modern = "terminate"`.',
      'Its `AUTH` option `p` keeps logins inside TLS.',
    ],
    setups: {
      plain: {
        title: 'Plain SMTP',
        lines: {
          'sendmail.mc': "DAEMON_OPTIONS(`Name=oldhello, Addr=127.0.0.1, Port=10025')dnl",
          'sendmail.mc, at its end': `LOCAL_RULESETS
SLocal_check_rcpt
R$*\t$: $&{auth_type} $| $>CanonAddr $1
R$+ $| $*\t$@ OK
R$| $+ <@ $=w . >\t$@ OK
R$| $+ <@ $=w >\t$@ OK
R$*\t$#error $@ 5.7.1 $: "550 Relaying denied"`,
        },
        backend: `${proxied(10025, 'none')}\nacknowledge-relay-risk = true`,
        note: 'Left and right of a rule are parted by a tab. The rules take mail for domains of its own (class `w`) and from who logged in, and no other.',
      },
      starttls: {
        title: "sendmail's own STARTTLS",
        lines: {
          'sendmail.mc': `define(\`confCACERT', \`/etc/mail/backend.crt')dnl
define(\`confCACERT_PATH', \`/etc/mail')dnl
define(\`confSERVER_CERT', \`/etc/mail/backend.crt')dnl
define(\`confSERVER_KEY', \`/etc/mail/backend.key')dnl`,
        },
        backend: `${proxied(10025, 'none')}\nacknowledge-relay-risk = true\ntls = "starttls"\n${TRUST}`,
      },
      implicit: {
        title: "sendmail's own TLS from the first byte",
        lines: {
          'sendmail.mc': "DAEMON_OPTIONS(`Name=oldhellos, Addr=127.0.0.1, Port=10465, M=s')dnl",
        },
        backend: `${proxied(10465, 'none')}\nacknowledge-relay-risk = true\ntls = "implicit"\n${TRUST}`,
      },
      bridge: {
        title: "Clients of today in sendmail's own TLS",
        lines: {},
        backend: `${proxied(10025, 'none')}\nacknowledge-relay-risk = true\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins',
        lines: {
          'sendmail.mc': `define(\`confAUTH_OPTIONS', \`A p y')dnl
define(\`confAUTH_MECHANISMS', \`PLAIN')dnl
TRUST_AUTH_MECH(\`PLAIN')dnl`,
          '/usr/lib/sasl2/Sendmail.conf': `pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: /etc/sasldb2
mech_list: PLAIN`,
        },
        backend: `${proxied(10025, 'none')}\nacknowledge-relay-risk = true\ntls = "starttls"\n${TRUST}`,
        note: 'Users in a database of Cyrus SASL are for the test; any `pwcheck_method` will do.',
      },
    },
  },
  Haraka: {
    version: 'Haraka 3.3.4 (npm)',
    abilities: {
      'proxy-v1': 'yes',
      'proxy-v2': 'no',
      xclient: 'yes',
      starttls: 'yes',
      implicit: 'yes',
      bridge: 'yes',
      auth: 'yes',
    },
    remarks: [
      'It waits for a PROXY header on every connection from the hosts it is told of, so PROXY and XCLIENT exclude each other there.',
      'A header of version 2 it does not understand: it waits on, and no greeting comes.',
      'Its plugin `xclient` believes 127.0.0.1 and ::1 without being told to.',
      '`auth/flat_file` takes clients behind a proxy on the same host for local, and offers AUTH in clear; oldhello hides it there.',
    ],
    setups: {
      plain: {
        title: 'Plain SMTP, PROXY protocol',
        lines: {
          'config/smtp.ini': 'listen=127.0.0.1:10025,127.0.0.1:10465',
          'config/connection.ini': `[haproxy]
hosts[] = 127.0.0.1`,
        },
        backend: proxied(10025, 'proxy-v1'),
      },
      xclient: {
        title: 'Plain SMTP, XCLIENT instead',
        lines: { 'config/plugins': 'xclient' },
        backend: proxied(10025, 'xclient'),
      },
      starttls: {
        title: "Haraka's own STARTTLS",
        lines: {
          'config/plugins': 'tls',
          'config/tls.ini': `key=/etc/ssl/backend.key
cert=/etc/ssl/backend.crt`,
        },
        backend: `${proxied(10025, 'proxy-v1')}\ntls = "starttls"\n${TRUST}`,
      },
      implicit: {
        title: "Haraka's own TLS from the first byte",
        lines: { 'config/smtp.ini': 'smtps_port=10465' },
        backend: `${proxied(10465, 'proxy-v1')}\ntls = "implicit"\n${TRUST}`,
      },
      bridge: {
        title: "Clients of today in Haraka's own TLS",
        lines: {},
        backend: `${proxied(10025, 'proxy-v1')}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins',
        lines: {
          'config/plugins': 'auth/flat_file',
          'config/auth_flat_file.ini': `[core]
methods=PLAIN

[users]
anna=secret`,
        },
        backend: `${proxied(10025, 'proxy-v1')}\ntls = "starttls"\n${TRUST}`,
      },
    },
  },
  maddy: {
    version: 'maddy 0.8.1 (Go)',
    abilities: {
      'proxy-v1': 'yes',
      'proxy-v2': 'yes',
      xclient: 'no',
      starttls: 'yes',
      implicit: 'no',
      bridge: 'yes',
      auth: 'yes',
    },
    remarks: [
      "Its TLS is Go's, which refuses a hello in SSLv2 format outright, as every mail server in Go does: with `bridge` it keeps its TLS for clients of today and has the old ones too.",
      'Not its `tls://` endpoints: there it wants the PROXY header inside TLS, where nothing but a proxy of its kind would put it. STARTTLS serves clients of either kind.',
      'It offers AUTH inside TLS only.',
    ],
    setups: {
      plain: {
        title: 'Plain SMTP',
        lines: {
          'maddy.conf': `tls file /etc/ssl/backend.crt /etc/ssl/backend.key

smtp tcp://127.0.0.1:10025 {
  proxy_protocol {
    trust 127.0.0.1
  }
  destination new.example {
    deliver_to &mailboxes
  }
  default_destination {
    reject 550 5.7.1 "relaying denied"
  }
}`,
        },
        backend: proxied(10025),
      },
      starttls: {
        title: "maddy's own STARTTLS",
        lines: {},
        backend: `${proxied(10025)}\ntls = "starttls"\n${TRUST}`,
      },
      bridge: {
        title: "Clients of today in maddy's own TLS",
        lines: {},
        backend: `${proxied(10025)}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins',
        lines: {
          'maddy.conf': `auth.pass_table users {
  table static {
    entry "anna" "bcrypt:$2a$10$hPN1hsRQaGsNmbcONVqHZu81SiA3cj75x6T9QgGGDg.EUi4crIjse"
  }
}

submission tcp://127.0.0.1:10587 {
  proxy_protocol {
    trust 127.0.0.1
  }
  auth &users
  deliver_to &mailboxes
}`,
        },
        backend: `${proxied(10587)}\ntls = "starttls"\n${TRUST}`,
        note: 'A table in the configuration is for the test; maddy has others.',
      },
    },
  },
} as const satisfies Record<string, BackendGuide>;
