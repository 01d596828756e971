/** The figures on top of the status page. */
import { CERTIFICATE_SOON_DAYS, daysUntil } from '../../observe/certificate-expiry.js';
import { OLD_KINDS, type HelloKind } from '../../observe/hello/hello-kind.js';
import type { HelloSlot, Status } from '../../observe/status/status-shape.js';
import { grouped, span } from '../../web/format.js';
import { html, type Html } from '../../web/html.js';

interface Figure {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly state?: 'bad' | 'warn';
}

export function summary(status: Status): Html {
  return html`${figures(status).map(
    ({ label, value, note, state }) =>
      html`<div class="figure ${state ?? ''}">
        <dt>${label}</dt>
        <dd>${value}</dd>
        <dd class="note">${note}</dd>
      </div>`,
  )}`;
}

/** "0.1.0 on Node 20.19.2, up 3 d 4 h" */
export function uptime({ started, now, version, node }: Status): string {
  const up = `up ${span(Date.parse(now) - Date.parse(started))}`;
  return version === '' ? up : `${version} on Node ${node.replace(/^v/, '')}, ${up}`;
}

function figures(status: Status): Figure[] {
  return [oldHellos(status), oldSenders(status), open(status), backendsUp(status), nextExpiry(status)];
}

function oldHellos({ hellos: { hours } }: Status): Figure {
  const lastDay = hours.slice(-24);
  const old = sum(lastDay, OLD_KINDS);
  const all = old + sum(lastDay, ['modern']);
  const share =
    all === 0 ? 'no hello yet' : `${((100 * old) / all).toFixed(old === all ? 0 : 1)} % of ${grouped(all)}`;
  return { label: 'Old hellos, 24 hours', value: grouped(old), note: share };
}

function oldSenders({ senders: { list, forgotten } }: Status): Figure {
  const old = list.filter(({ format }) => format === 'sslv2').length;
  const more = forgotten > 0 ? `, ${grouped(forgotten)} no longer listed` : '';
  return {
    label: 'Old or failing senders',
    value: grouped(list.length),
    note: `${grouped(old)} with SSLv2 format${more}`,
  };
}

function open({ connections: { total }, listeners }: Status): Figure {
  const ended = listeners.reduce((all, { connections }) => all + connections, 0);
  return { label: 'Open connections', value: grouped(total), note: `${grouped(ended)} have ended` };
}

function backendsUp({ backends }: Status): Figure {
  const label = 'Backends up';
  if (backends.length === 0) return { label, value: '–', note: 'no connection yet' };
  const down = backends.filter(({ up }) => up === false).map(({ name, address }) => `${name} (${address})`);
  const value = `${backends.length - down.length} of ${backends.length}`;
  if (down.length === 0) return { label, value, note: 'all reachable' };
  return { label, value, note: `down: ${down.join(', ')}`, state: 'bad' };
}

function nextExpiry({ certificates, now }: Status): Figure {
  const label = 'Certificates';
  const [next] = [...certificates].sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));
  if (next === undefined) return { label, value: '–', note: 'none' };
  const days = daysUntil(next.notAfter, Date.parse(now));
  if (days < 0) return { label, value: 'expired', note: next.subject, state: 'bad' };
  const state = days < CERTIFICATE_SOON_DAYS ? { state: 'warn' as const } : {};
  return { label, value: `${grouped(days)} d`, note: 'until the next one expires', ...state };
}

function sum(slots: readonly HelloSlot[], kinds: readonly HelloKind[]): number {
  return slots.reduce((total, slot) => total + kinds.reduce((all, kind) => all + slot[kind], 0), 0);
}
