/* Requests: one at a time, errors in words, and when to try again.
 *
 * Does all fetching. An outdated answer is dropped. `Fault.kind` is refused (the request is wrong, so
 * retrying is useless), away (the store is unavailable), or silent (no answer).
 */

/** @typedef {'refused' | 'away' | 'silent'} Kind */

const TIMEOUT_MS = 15000;
const SLOWEST_S = 60;

export class Fault extends Error {
  /**
   * @param {Kind} kind
   * @param {string} message
   * @param {number} [retryAfter_s]
   */
  constructor(kind, message, retryAfter_s = 0) {
    super(message);
    this.kind = kind;
    this.retryAfter_s = retryAfter_s;
    /** The HTTP status; 0 where there was no answer. */
    this.status = 0;
  }
}

/**
 * Fetch the answer to a query: by the options' own callback, else from the host.
 * @param {Pick<import('./options.js').Settled, 'data' | 'host' | 'token'>} options
 * @param {string} query
 * @param {AbortSignal} signal
 * @returns {Promise<HailWhale.Answer>}
 */
export async function ask(options, query, signal) {
  if (options.data) return options.data(query, signal);
  const url = `${options.host}/graph.json?${query}`;
  /** @type {RequestInit} */
  const how = { signal, headers: bearer(options.token), cache: 'no-store', credentials: 'omit' };
  return json(await answered(url, how, options.host));
}

/**
 * Return the headers that carry a token, if there is one.
 * @param {string} token
 * @returns {Record<string, string>}
 */
export function bearer(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/**
 * Fetch; a missing answer is a `Fault`.
 * @param {string} url
 * @param {RequestInit} how
 * @param {string} host
 */
export async function answered(url, how, host) {
  try {
    return await fetch(url, how);
  } catch (fault) {
    if (isAbort(fault)) throw fault;
    throw new Fault('silent', silence(host));
  }
}

/**
 * Return the JSON of an answer; a refusal is a `Fault`.
 * @param {Response} answer
 */
export async function json(answer) {
  if (answer.ok) return answer.json();
  throw await faultOf(answer);
}

/** @param {unknown} fault */
function isAbort(fault) {
  return fault instanceof Error && fault.name === 'AbortError';
}

/**
 * Say why there was no answer; from another site the likely reason is CORS.
 * @param {string} host
 */
export function silence(host) {
  const here = globalThis.location ? globalThis.location.origin : '';
  const there = host || here;
  if (!host || new URL(host, here || undefined).origin === here) return `No answer from ${there}.`;
  return (
    `No answer from ${there}: it is down, or its HAILWHALE_CORS_ORIGINS ` +
    `does not include ${here}.`
  );
}

/**
 * Make a `Fault` of an error response.
 * @param {Response} answer
 */
export async function faultOf(answer) {
  // The page of a proxy is not JSON: use the status.
  const told = await answer.json().then(
    ({ error }) => error,
    () => null,
  );
  const message = told?.message
    ? `${told.parameter ? `${told.parameter}: ` : ''}${told.message}`
    : `${answer.status} from the server`;
  const away = answer.status >= 500 || answer.status === 429;
  const after_s = (away && Number(answer.headers.get('Retry-After'))) || 0;
  const fault = new Fault(away ? 'away' : 'refused', message, after_s);
  fault.status = answer.status;
  return fault;
}

/**
 * Return the seconds until the next try after `failures` in a row: doubling, up to a minute.
 * @param {number} failures
 * @param {number} [retryAfter_s]
 */
export function retryAfter(failures, retryAfter_s = 0) {
  return Math.min(SLOWEST_S, Math.max(retryAfter_s, 2 ** Math.min(failures, 6)));
}

/**
 * Fetches again and again: `look()` now, then every `every_s` seconds, until `stop()`.
 * @template Answer
 */
export class Watch {
  /**
   * @param {(signal: AbortSignal) => Promise<Answer>} fetchNow
   * @param {(answer: Answer) => void} done
   * @param {(fault: Error & Partial<Fault>, wait_s: number) => void} failed
   */
  constructor(fetchNow, done, failed) {
    this.fetchNow = fetchNow;
    this.done = done;
    this.failed = failed;
    this.every_s = 0;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {AbortController | null} */
    this.control = null;
    this.stopped = false;
    this.due = false;
    this.wake = () => {
      if (!document.hidden && this.due) this.look();
    };
    document.addEventListener('visibilitychange', this.wake);
  }

  async look() {
    clearTimeout(this.timer);
    if (this.control) this.control.abort();
    const control = new AbortController();
    this.control = control;
    const late = setTimeout(() => control.abort(), TIMEOUT_MS);
    this.due = false;
    try {
      const answer = await this.fetchNow(control.signal);
      if (this.control !== control || this.stopped) return;
      this.failures = 0;
      this.done(answer);
      this.plan(this.every_s);
    } catch (fault) {
      if (this.control !== control || this.stopped) return;
      this.missed(isAbort(fault) ? new Fault('silent', 'No answer in time.') : fault);
    } finally {
      clearTimeout(late);
    }
  }

  /** @param {unknown} thrown */
  missed(thrown) {
    this.failures += 1;
    /** @type {Error & Partial<Fault>} */
    const fault = thrown instanceof Error ? thrown : new Error(String(thrown));
    const again = fault.kind === 'away' || fault.kind === 'silent';
    const wait_s = again ? retryAfter(this.failures, fault.retryAfter_s) : 0;
    this.failed(fault, wait_s);
    this.plan(wait_s);
  }

  /**
   * Fetch again in `wait_s`; a hidden page waits until it is visible.
   * @param {number} wait_s
   */
  plan(wait_s) {
    clearTimeout(this.timer);
    if (!wait_s || this.stopped) return;
    this.timer = setTimeout(() => {
      this.due = true;
      if (!document.hidden) this.look();
    }, wait_s * 1000);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.control) this.control.abort();
    document.removeEventListener('visibilitychange', this.wake);
  }
}
