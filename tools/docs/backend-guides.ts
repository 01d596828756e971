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
      'Each setup is a separate service in `master.cf`, so the service on port 25 or 587 can stay unchanged until you move it.',
      'Remove the addresses of oldhello from `smtpd_authorized_xforward_hosts`: oldhello refuses to connect clients to a server that accepts XFORWARD from them.',
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
        title: "Modern clients with Postfix's own TLS",
        lines: {},
        backend: `${proxied(10027)}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins, only inside TLS',
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
        note: 'The users in a Cyrus SASL database are only for the test; you can use any `smtpd_sasl_type`.',
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
      'On Debian, use the package `exim4-daemon-heavy`. The default, `exim4-daemon-light`, has no PROXY protocol: `main option "hosts_proxy" unknown`.',
      'Exim 4.97 and later support XCLIENT (`hosts_xclient`); 4.96 does not. The PROXY protocol does the same, so you do not need it.',
      '`hosts_proxy` accepts both versions, and requires a header from its hosts on every port.',
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
        title: "Modern clients with Exim's own TLS",
        lines: {},
        backend: `${proxied(10025)}\ntls = "bridge"\n${TRUST}`,
      },
      auth: {
        title: 'Logins, only inside TLS',
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
        note: 'This `server_condition` is only for the test; yours must look the users up.',
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
      'A listener with `proxy-v2` accepts the header of every client, so let it listen only on loopback, on a host where you trust all users.',
      'In OpenSMTPD 6.8.0p2, the version of Debian 12 itself, every TLS handshake fails ("missing private key"; it does not support OpenSSL 3). `tls = "none"` works with it.',
      'Do not use `smtps`: its TLS loses bytes that arrive together with the PROXY header, so some handshakes hang. Use STARTTLS, also for clients with implicit TLS.',
      'It offers AUTH only inside TLS, so logins need `tls = "starttls"` or `tls = "bridge"`.',
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
        title: "Modern clients with OpenSMTPD's own TLS",
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
      'It has neither the PROXY protocol nor XCLIENT, so its log, its limits by address and its blocklists have only the address of oldhello. With `identity = "proxy-v1"` or `"proxy-v2"`, it replies to the header as to an unknown command, and oldhello closes the session (`reply_unexpected`).',
      'It relays for 127.0.0.1 regardless of its access table: behind oldhello on the same host it is an open relay, unless `Local_check_rcpt` forbids this, as below.',
      'Behind an implicit-TLS listener, `bridge` needs `modern = "terminate"`.',
      'Option `p` in `confAUTH_OPTIONS` allows logins only inside TLS.',
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
        note: 'A tab separates the two sides of a rule. The rules accept mail only for local domains (class `w`) and from clients that have logged in.',
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
        title: "Modern clients with sendmail's own TLS",
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
        note: 'The users in a Cyrus SASL database are only for the test; you can use any `pwcheck_method`.',
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
      'It requires a PROXY header on every connection from `[haproxy] hosts[]`, so a host cannot use both PROXY and XCLIENT.',
      'It does not support version 2 of the header: it keeps waiting, and sends no greeting.',
      'Its plugin `xclient` accepts XCLIENT from 127.0.0.1 and ::1 by default.',
      '`auth/flat_file` treats clients behind a proxy on the same host as local, and offers AUTH in clear; oldhello removes this offer.',
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
        title: "Modern clients with Haraka's own TLS",
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
      "Its TLS is Go's, which refuses every SSLv2-format hello, as in all mail servers in Go. With `bridge`, modern clients keep the TLS of maddy, and old clients are accepted too.",
      'Do not use its `tls://` endpoints: they require the PROXY header inside TLS, where oldhello does not send it. Use STARTTLS, also for clients with implicit TLS.',
      'It offers AUTH only inside TLS.',
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
        title: "Modern clients with maddy's own TLS",
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
        note: 'The table in the configuration is only for the test; maddy has other kinds of tables.',
      },
    },
  },
} as const satisfies Record<string, BackendGuide>;
