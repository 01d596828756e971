/** The proxies for TLS from the first byte: ours, the floor, and those an admin would pick instead. */
import { oldhello } from './oldhello.js';
import { needs, nothing, pem, script, write, type Peer } from './peer.js';

export const ours = oldhello('implicit');

export const floor: Peer = {
  name: 'floor',
  justInTime: true,
  lack: nothing,
  command: ({ port, backend, key }) => [process.execPath, script('floor.js'), `${port}`, `${backend}`, key],
};

/** The floor of a transfer under AES128-SHA. */
export const bulkFloor: Peer = {
  name: 'floor',
  lack: nothing,
  command: ({ port, backend }) => [process.execPath, script('bulk-floor.js'), `${port}`, `${backend}`],
};

/** @param more arguments after those that every peer has */
function nodeTls(...more: readonly string[]): Peer {
  return {
    name: 'node-tls',
    justInTime: true,
    lack: nothing,
    command: ({ port, backend, certificate, key }) => [
      process.execPath,
      script('node-tls.js'),
      `${port}`,
      `${backend}`,
      certificate,
      key,
      ...more,
    ],
  };
}

const STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

const NATIVE: readonly Peer[] = [
  {
    name: 'nginx',
    lack: needs(STREAM, 'libnginx-mod-stream'),
    command(setup) {
      const config = `
load_module ${STREAM};
daemon off; worker_processes ${setup.workers}; pid ${setup.folder}/nginx.pid; error_log ${setup.folder}/nginx.log crit;
events { worker_connections 30000; }
stream { server {
  listen 127.0.0.1:${setup.port} ssl backlog=4096; proxy_pass 127.0.0.1:${setup.backend}; tcp_nodelay on;
  ssl_certificate ${setup.certificate}; ssl_certificate_key ${setup.key};
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ssl_prefer_server_ciphers on;
  ssl_session_cache shared:bench:10m;
} }
`;
      return ['/usr/sbin/nginx', '-c', write(setup, 'nginx.conf', config)];
    },
  },
  {
    name: 'hitch',
    lack: needs('/usr/sbin/hitch', 'hitch'),
    command(setup) {
      const config = `
frontend = "[127.0.0.1]:${setup.port}"
backend = "[127.0.0.1]:${setup.backend}"
pem-file = "${pem(setup)}"
workers = ${setup.workers}
backlog = 4096
tls-protos = TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3
ciphers = "ALL:@SECLEVEL=0"
prefer-server-ciphers = on
user = "nobody"
quiet = on
`;
      return ['/usr/sbin/hitch', `--config=${write(setup, 'hitch.conf', config)}`];
    },
  },
  {
    name: 'haproxy',
    lack: needs('/usr/sbin/haproxy', 'haproxy'),
    command(setup) {
      const config = `
global
  maxconn 9900
  nbthread ${setup.workers}
  ssl-default-bind-options ssl-min-ver TLSv1.0
  ssl-default-bind-ciphers ALL:@SECLEVEL=0
  tune.ssl.default-dh-param 2048
defaults
  mode tcp
  timeout connect 10s
  timeout client 10m
  timeout server 10m
listen bench
  bind 127.0.0.1:${setup.port} ssl crt ${pem(setup)} backlog 4096
  server greeter 127.0.0.1:${setup.backend}
`;
      return ['/usr/sbin/haproxy', '-db', '-f', write(setup, 'haproxy.cfg', config)];
    },
  },
  {
    name: 'stunnel',
    lack: needs('/usr/bin/stunnel4', 'stunnel4'),
    command(setup) {
      const config = `
foreground = yes
pid =
debug = 2
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[bench]
accept = 127.0.0.1:${setup.port}
connect = 127.0.0.1:${setup.backend}
cert = ${setup.certificate}
key = ${setup.key}
sslVersionMin = TLSv1
securityLevel = 0
ciphers = ALL:!kDHE:@SECLEVEL=0
TIMEOUTclose = 0
`;
      return ['/usr/bin/stunnel4', write(setup, 'stunnel.conf', config)];
    },
  },
];

export const OTHERS: readonly Peer[] = [...NATIVE, nodeTls()];

/** The same, all of which remember sessions by id. */
export const RESUMING: readonly Peer[] = [...NATIVE, nodeTls('remember')];
