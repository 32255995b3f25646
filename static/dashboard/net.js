/* The dashboard's questions to the service: one way to ask, what went wrong in words, and the token.
 *
 * Owns the network. Looking again, and how patiently, is the widget's `Watch`. It must not know what
 * the answers mean.
 */
const { source } = globalThis.HailWhale;
const KEY = 'hailwhale-token';

/** Text of a parameter: lists and objects as JSON. */
function written(value) {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `query({pk: ['Shop'], limit: 3})`; what is empty is left out. */
export function query(fields) {
  return Object.entries(fields)
    .filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(written(value))}`)
    .join('&');
}

/** The bearer token of this tab, '' without. */
export const token = () => sessionStorage.getItem(KEY) || '';

export function keepToken(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

/** The answer of a route; a `Fault` with `status` when it is none. */
export async function ask(path, fields = {}, signal) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const asked = query(fields);
  let answer;
  try {
    answer = await fetch(asked ? `${path}?${asked}` : path, { signal, headers, cache: 'no-store' });
  } catch (fault) {
    if (fault.name === 'AbortError') throw fault;
    throw new source.Fault('silent', source.silence(''));
  }
  if (answer.ok) return answer.json();
  throw Object.assign(await source.faultOf(answer), { status: answer.status });
}

/** The answer, or null where there is none to be had: not there, not allowed, or wrong to ask. */
export async function askIfThere(path, fields, signal) {
  try {
    return await ask(path, fields, signal);
  } catch (fault) {
    if (fault.status >= 400 && fault.status < 500) return null;
    throw fault;
  }
}

/** What runs on the page until it is left: `look` and what `done` makes of it, every `every_s`. */
export class Lookout {
  constructor(trouble) {
    this.trouble = trouble; // (fault or null): told of every look that failed, and of the next that did not
    this.watches = [];
    this.stopped = false;
  }

  every(every_s, look, done) {
    const watch = new source.Watch(look, (answer) => {
      this.trouble(null);
      done(answer);
    }, (fault) => this.trouble(fault));
    watch.every_s = every_s;
    this.watches.push(watch);
    if (this.stopped) watch.stop(); // the page was left while something was asked
    else watch.look();
    return watch;
  }

  /** Look at everything now. */
  again() {
    this.watches.forEach((watch) => watch.look());
  }

  stop() {
    this.stopped = true;
    this.watches.forEach((watch) => watch.stop());
  }
}
