/** What a gate does with what comes next from its client. */

/**
 * `reading`: commands and content. `holding`: a command that ends parsing waits for every reply before it. `awaiting_354`:
 * DATA was passed on, and its reply decides what follows it. `refused`: by the backend's greeting. `refusing`: the client is
 * not read any further, and its last reply waits for those before it.
 */
export type GatePhase =
  'reading' | 'awaiting_starttls' | 'holding' | 'awaiting_354' | 'refused' | 'refusing' | 'done';
