/** The proxies for TLS from the first byte: ours, the floor, and those an admin would pick instead. */
import { fileURLToPath } from 'node:url';
import { needs, write, type Peer } from './peer.js';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

export const oldhello: Peer = {
  name: 'oldhello',
  lack: () => undefined,
  command(setup) {
    const config = `
[server]
hostname = "bench.example"
state-directory = ${JSON.stringify(setup.folder)}
[[listener]]
name = "bench"
address = "127.0.0.1:${setup.port}"
mode = "implicit"
backend = "greeter"
[[backend]]
name = "greeter"
address = "127.0.0.1:${setup.backend}"
identity = "proxy-v2"
[[certificate]]
chain = ${JSON.stringify(setup.certificate)}
key = ${JSON.stringify(setup.key)}
[limits]
max-connections = 20000
max-connections-per-address = 20000
max-handshakes = 20000
handshakes-per-second = 0
handshakes-per-second-per-address = 0
[log]
level = "info"
`;
    const file = write(setup, 'oldhello.toml', config);
    return ['sh', '-c', `exec ${process.execPath} ${CLI} serve --config ${file} >/dev/null`];
  },
};

export const floor: Peer = {
  name: 'floor',
  lack: () => undefined,
  command: ({ port, backend, key }) => [process.execPath, script('floor.js'), `${port}`, `${backend}`, key],
};

export const OTHERS: readonly Peer[] = [
  {
    name: 'nginx',
    lack: needs('/usr/lib/nginx/modules/ngx_stream_module.so', 'libnginx-mod-stream'),
    command(setup) {
      const config = `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
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
      const pem = write(setup, 'hitch.pem', '');
      const config = `
frontend = "[127.0.0.1]:${setup.port}"
backend = "[127.0.0.1]:${setup.backend}"
pem-file = "${pem}"
workers = ${setup.workers}
backlog = 4096
tls-protos = TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3
ciphers = "ALL:@SECLEVEL=0"
prefer-server-ciphers = on
user = "nobody"
quiet = on
`;
      const file = write(setup, 'hitch.conf', config);
      return [
        'sh',
        '-c',
        `cat ${setup.key} ${setup.certificate} > ${pem}; exec /usr/sbin/hitch --config=${file}`,
      ];
    },
  },
  {
    name: 'haproxy',
    lack: needs('/usr/sbin/haproxy', 'haproxy'),
    command(setup) {
      const pem = write(setup, 'haproxy.pem', '');
      const config = `
global
  maxconn 9000
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
  bind 127.0.0.1:${setup.port} ssl crt ${pem} backlog 4096
  server greeter 127.0.0.1:${setup.backend}
`;
      const file = write(setup, 'haproxy.cfg', config);
      return [
        'sh',
        '-c',
        `cat ${setup.certificate} ${setup.key} > ${pem}; exec /usr/sbin/haproxy -db -f ${file}`,
      ];
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
[bench]
accept = 127.0.0.1:${setup.port}
connect = 127.0.0.1:${setup.backend}
cert = ${setup.certificate}
key = ${setup.key}
sslVersionMin = TLSv1
securityLevel = 0
ciphers = ALL:@SECLEVEL=0
TIMEOUTclose = 0
`;
      return ['/usr/bin/stunnel4', write(setup, 'stunnel.conf', config)];
    },
  },
  {
    name: 'node-tls',
    lack: () => undefined,
    command: ({ port, backend, certificate, key }) => [
      process.execPath,
      script('node-tls.js'),
      `${port}`,
      `${backend}`,
      certificate,
      key,
    ],
  },
];
