/** Every reply that is ours and not the backend's, with its codes (RFC 5321, 4.2; RFC 3463; RFC 3207; RFC 4954, 6). */

const REPLIES = {
  ready_for_tls: ['220', '2.0.0', 'ready to start TLS'],
  goodbye: ['221', '2.0.0', 'closing'],

  shutting_down: ['421', '4.3.2', 'is shutting down, try again later'],
  backend_unavailable: ['421', '4.3.0', 'mail system is not available, try again later'],
  backend_broken: ['421', '4.3.0', 'mail system trouble, try again later'],
  out_of_descriptors: ['421', '4.3.1', 'too many connections, try again later'],
  idle_for_too_long: ['421', '4.4.2', 'no command for too long, closing'],
  too_many_connections: ['421', '4.7.0', 'too many connections, try again later'],
  too_many_handshakes: ['421', '4.7.0', 'too many TLS handshakes, try again later'],
  too_many_errors: ['421', '4.7.0', 'too many errors'],
  too_many_commands: ['421', '4.5.3', 'too many commands without waiting for replies'],

  line_too_long: ['500', '5.5.2', 'line too long'],
  bare_newline: ['500', '5.5.2', 'lines end with CR LF'],
  nul_byte: ['500', '5.5.2', 'NUL is not allowed in a command'],
  starttls_parameter: ['501', '5.5.4', 'STARTTLS takes no parameter'],
  not_implemented: ['502', '5.5.1', 'command not implemented'],
  starttls_not_offered: ['502', '5.5.1', 'STARTTLS is not offered'],
  tls_already_active: ['503', '5.5.1', 'TLS is active already'],
  no_mail_now: ['503', '5.5.1', 'the greeting refused this session, only QUIT is allowed'],
  auth_needs_tls: ['538', '5.7.11', 'AUTH needs better encryption'],
  command_for_proxies: ['550', '5.7.0', 'this command is for trusted proxies only'],
  access_denied: ['554', '5.7.1', 'access denied'],
  pipelined_after_starttls: ['554', '5.5.0', 'nothing may follow STARTTLS before the reply to it'],
  tls_before_220: ['554', '5.5.0', 'TLS begins after STARTTLS and its reply 220'],
  tls_from_first_byte: ['554', '5.5.0', 'expects TLS from the first byte; use STARTTLS on port 25 or 587'],
  chunk_unclear: ['554', '5.5.0', 'BDAT is not offered here, or its size cannot be read'],
  content_end_unclear: [
    '554',
    '5.6.0',
    'a line with a single dot must end with CR LF, as the line before it',
  ],
} as const satisfies Record<string, readonly [code: string, enhanced: string, text: string]>;

export type OwnReply = keyof typeof REPLIES;

/** @param hostname what the proxy calls itself */
export function ownReply(name: OwnReply, hostname: string): Buffer {
  const [code, enhanced, text] = REPLIES[name];
  return Buffer.from(`${code} ${enhanced} ${hostname} ${text}\r\n`);
}
