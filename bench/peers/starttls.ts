/** The proxies that speak SMTP as far as STARTTLS. */
import { oldhello } from './oldhello.js';
import { needs, write, type Peer } from './peer.js';

const MAIL = '/usr/lib/nginx/modules/ngx_mail_module.so';

/** @param auth the port that tells nginx where to go */
export function starttlsPeers(auth: number): readonly Peer[] {
  const live = oldhello('starttls', 'terminate', 'oldhello-live', 'live');
  return [oldhello('starttls'), live, stunnel, nginxMail(auth)];
}

const stunnel: Peer = {
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
protocol = smtp
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
};

function nginxMail(auth: number): Peer {
  return {
    name: 'nginx-mail',
    lack: needs(MAIL, 'libnginx-mod-mail'),
    command(setup) {
      const config = `
load_module ${MAIL};
daemon off; worker_processes ${setup.workers}; pid ${setup.folder}/nginx.pid; error_log ${setup.folder}/nginx.log crit;
events { worker_connections 30000; }
mail {
  server_name bench.example; auth_http 127.0.0.1:${auth}/; xclient off; proxy_pass_error_message on;
  ssl_certificate ${setup.certificate}; ssl_certificate_key ${setup.key};
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ssl_prefer_server_ciphers on;
  server { listen 127.0.0.1:${setup.port} backlog=4096; protocol smtp; smtp_auth none; starttls on; }
}
`;
      return ['/usr/sbin/nginx', '-c', write(setup, 'nginx.conf', config)];
    },
  };
}
