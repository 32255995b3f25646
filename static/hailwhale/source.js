/* Where a graph's numbers come from: one request at a time, what went wrong in words, when to try again.
 *
 * Owns the network. An answer that was overtaken is dropped. `Fault.kind` is refused (the question is
 * wrong: trying again is no use), away (the store is), or silent (nothing came back).
 */
(function (hw) {
  'use strict';

  const TIMEOUT_MS = 15000;
  const SLOWEST_S = 60;

  class Fault extends Error {
    constructor(kind, message, retryAfter_s) {
      super(message);
      this.kind = kind;
      this.retryAfter_s = retryAfter_s || 0;
    }
  }

  /** Fetch the answer of `query`: by the options' own callback, else from the host. */
  async function ask(options, query, signal) {
    if (options.data) return options.data(query, signal);
    const url = `${options.host}/graph.json?${query}`;
    let answer;
    try {
      const headers = options.token ? { Authorization: `Bearer ${options.token}` } : {};
      answer = await fetch(url, { signal, headers, cache: 'no-store', credentials: 'omit' });
    } catch (fault) {
      if (fault.name === 'AbortError') throw fault;
      throw new Fault('silent', silence(options.host));
    }
    if (answer.ok) return answer.json();
    throw await faultOf(answer);
  }

  /** Why nothing came back; from another site the likely reason is that it is not allowed to. */
  function silence(host) {
    const here = globalThis.location ? globalThis.location.origin : '';
    const there = host || here;
    if (!host || new URL(host, here || undefined).origin === here) return `No answer from ${there}.`;
    return `No answer from ${there}: it is down, or does not let ${here} read `
      + '(its HAILWHALE_CORS_ORIGINS would have to name it).';
  }

  async function faultOf(answer) {
    let told = null;
    try {
      told = (await answer.json()).error;
    } catch (fault) {
      told = null; // a proxy's page: the status has to do
    }
    const message = told && told.message ? `${told.parameter ? `${told.parameter}: ` : ''}${told.message}` : '';
    if (answer.status >= 500 || answer.status === 429) {
      const after_s = Number(answer.headers.get('Retry-After')) || 0;
      return new Fault('away', message || `${answer.status} from the server`, after_s);
    }
    return new Fault('refused', message || `${answer.status} from the server`);
  }

  /** Seconds until the next try after `failures` in a row: twice as long each time, up to a minute. */
  function retryAfter(failures, retryAfter_s) {
    return Math.min(SLOWEST_S, Math.max(retryAfter_s || 0, 2 ** Math.min(failures, 6)));
  }

  /** Looks for answers: `look()` now, `every(s)` for ever after; `stop()` for good. */
  class Watch {
    /** `fetchNow(signal)` gives a promise; `done(answer)` and `failed(fault, wait_s)` are told. */
    constructor(fetchNow, done, failed) {
      Object.assign(this, { fetchNow, done, failed, every_s: 0, failures: 0, timer: 0, control: null, stopped: false });
      this.wake = () => {
        if (!document.hidden && this.due) this.look();
      };
      document.addEventListener('visibilitychange', this.wake);
    }

    async look() {
      clearTimeout(this.timer);
      if (this.control) this.control.abort();
      const control = this.control = new AbortController();
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
        this.failures += 1;
        const late_fault = fault.name === 'AbortError' ? new Fault('silent', 'No answer in time.') : fault;
        const wait_s = late_fault.kind === 'away' || late_fault.kind === 'silent' ? retryAfter(this.failures, late_fault.retryAfter_s) : 0;
        this.failed(late_fault, wait_s);
        this.plan(wait_s);
      } finally {
        clearTimeout(late);
      }
    }

    /** In `wait_s` again; a page that nobody sees waits until somebody does. */
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

  hw.source = { Fault, Watch, ask, faultOf, retryAfter, silence };
})(globalThis.HailWhale = globalThis.HailWhale || {});
