/** What to set in each mail server to correct a finding. */

export const MAIL_SERVERS = {
  postfix: { name: 'Postfix', greeting: /\bPostfix\b/i },
  exim: { name: 'Exim', greeting: /\bExim\b/i },
  opensmtpd: { name: 'OpenSMTPD', greeting: /\bOpenSMTPD\b/i },
  sendmail: { name: 'sendmail', greeting: /\bSendmail\b/i },
  haraka: { name: 'Haraka', greeting: /\bHaraka\b/i },
} as const satisfies Record<string, { name: string; greeting: RegExp }>;

export type MailServer = keyof typeof MAIL_SERVERS;

/** The mail server with this greeting; undefined if the greeting does not name it. */
export function recognize(words: string): MailServer | undefined {
  const known = Object.keys(MAIL_SERVERS) as MailServer[];
  return known.find((server) => MAIL_SERVERS[server].greeting.test(words));
}

type Advice = Readonly<Record<MailServer, string>>;

const EXIM_HEAVY =
  'needs an Exim with the PROXY protocol: on Debian, exim4-daemon-heavy and not exim4-daemon-light';

/** `{us}` in a line stands for the address that oldhello connects from. */
const ADVICE = {
  'proxy-v2': {
    postfix:
      'smtpd_upstream_proxy_protocol = haproxy (with -o, on the service in master.cf that oldhello connects to)',
    exim: `hosts_proxy = {us}; ${EXIM_HEAVY}`,
    opensmtpd: 'listen on ADDRESS port PORT proxy-v2',
    sendmail:
      'supports neither the PROXY protocol nor XCLIENT: use identity = "none", and allow relaying only with AUTH',
    haraka: 'supports only version 1: identity = "proxy-v1", and in connection.ini: [haproxy] hosts[] = {us}',
  },
  'proxy-v1': {
    postfix:
      'smtpd_upstream_proxy_protocol = haproxy (with -o, on the service in master.cf that oldhello connects to)',
    exim: `hosts_proxy = {us}; ${EXIM_HEAVY}`,
    opensmtpd: 'supports only version 2: identity = "proxy-v2", and: listen on ADDRESS port PORT proxy-v2',
    sendmail:
      'supports neither the PROXY protocol nor XCLIENT: use identity = "none", and allow relaying only with AUTH',
    haraka: 'connection.ini: [haproxy] hosts[] = {us}',
  },
  xclient: {
    postfix: 'smtpd_authorized_xclient_hosts = {us}',
    exim: 'hosts_xclient = {us} (Exim 4.97 and later); before: hosts_proxy = {us} and identity = "proxy-v2"',
    opensmtpd: 'does not support XCLIENT: identity = "proxy-v2", and: listen on ADDRESS port PORT proxy-v2',
    sendmail:
      'supports neither the PROXY protocol nor XCLIENT: use identity = "none", and allow relaying only with AUTH',
    haraka: 'add xclient to the file plugins, and to xclient.hosts: {us}',
  },
  'no-header': {
    postfix: 'if the service has smtpd_upstream_proxy_protocol = haproxy: identity = "proxy-v2"',
    exim: 'if {us} is in hosts_proxy: identity = "proxy-v2"',
    opensmtpd: 'if it listens with proxy-v2: identity = "proxy-v2"',
    sendmail: 'read its log',
    haraka: 'if {us} is in [haproxy] hosts[] of connection.ini: identity = "proxy-v1"',
  },
  listening: {
    postfix:
      'a service on this address and port in master.cf, then: postfix reload (postconf -M shows the services)',
    exim: 'daemon_smtp_ports or local_interfaces with this port, then restart it',
    opensmtpd: 'listen on ADDRESS port PORT in smtpd.conf, then restart it',
    sendmail: 'DAEMON_OPTIONS with this port in sendmail.mc, then restart it',
    haraka: 'listen = ADDRESS:PORT in smtp.ini, then restart it',
  },
  relay: {
    postfix:
      'mynetworks = 127.0.0.0/8 [::1]/128, and smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
    exim: 'hostlist relay_from_hosts = without addresses of strangers; end acl_check_rcpt with: require message = relay not permitted, domains = +local_domains : +relay_to_domains',
    opensmtpd: 'match from any for domain <local> action ..., and no "match from any for any" without auth',
    sendmail: 'no promiscuous_relay in sendmail.mc; in /etc/mail/access, no RELAY for addresses of strangers',
    haraka:
      'plugin relay: relay_acl_allow without addresses of strangers; rcpt_to.in_host_list before any plugin that accepts',
  },
  'relay-none': {
    postfix:
      'mynetworks = (empty) on the service that oldhello connects to, or smtpd_upstream_proxy_protocol = haproxy and identity = "proxy-v2"',
    exim: 'remove {us} from relay_from_hosts, or hosts_proxy = {us} and identity = "proxy-v2"',
    opensmtpd:
      'no "match from local for any" on the listener that oldhello connects to, or: listen on ADDRESS port PORT proxy-v2',
    sendmail: 'in /etc/mail/access: Connect:{us} without RELAY; clients that relay must log in',
    haraka:
      'no {us} in relay_acl_allow, or identity = "proxy-v1" and connection.ini: [haproxy] hosts[] = {us}',
  },
  trust: {
    postfix:
      'smtpd_authorized_xclient_hosts and smtpd_authorized_xforward_hosts: only necessary addresses, and {us} only with identity = "xclient"',
    exim: 'hosts_xclient: only necessary addresses, and {us} only with identity = "xclient"',
    opensmtpd: 'supports neither XCLIENT nor XFORWARD; a program between oldhello and the backend offers it',
    sendmail: 'supports neither XCLIENT nor XFORWARD; a program between oldhello and the backend offers it',
    haraka: 'xclient.hosts: only necessary addresses, and {us} only with identity = "xclient"',
  },
  starttls: {
    postfix:
      'smtpd_tls_security_level = may, and smtpd_tls_chain_files = KEY CERTIFICATE; for tls on port 465: smtpd_tls_wrappermode = yes',
    exim: 'tls_advertise_hosts = *, tls_certificate, tls_privatekey; for implicit TLS: tls_on_connect_ports',
    opensmtpd:
      'pki NAME cert/key, and: listen on ADDRESS tls pki NAME; not smtps, because its TLS loses bytes that come together with a PROXY header',
    sendmail: 'confSERVER_CERT and confSERVER_KEY; for implicit TLS: DAEMON_OPTIONS with M=s',
    haraka: 'plugin tls with tls_cert.pem and tls_key.pem; for implicit TLS: smtps_port in smtp.ini',
  },
} as const satisfies Record<string, Advice>;

export type AdviceTopic = keyof typeof ADVICE;

/**
 * @param server undefined: advice for all of them
 * @param proxy the address that oldhello connects from
 */
export function advise(topic: AdviceTopic, server: MailServer | undefined, proxy: string): string[] {
  const servers = server === undefined ? (Object.keys(MAIL_SERVERS) as MailServer[]) : [server];
  const lines = servers.map(
    (one) => `${MAIL_SERVERS[one].name}: ${ADVICE[topic][one].replaceAll('{us}', proxy)}`,
  );
  return topic === 'starttls'
    ? [...lines, 'or, if the backend needs no TLS, remove tls from its [[backend]]']
    : lines;
}
