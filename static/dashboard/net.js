/* Requests to the service: one way to ask, errors in words, and the token.
 *
 * Owns the network. The widget's `Watch` refreshes and retries. It does not know what answers mean.
 */

import { answered, bearer, json, Watch } from '../hailwhale/source.js';

/** @typedef {import('./answers.js').Answers} Answers */
/** @typedef {Error & Partial<import('../hailwhale/source.js').Fault>} Fault */

const KEY = 'hailwhale-token';

/**
 * Write a parameter: lists and objects as JSON.
 * @param {unknown} value
 */
function written(value) {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/**
 * Return a query string: `query({pk: ['Shop'], limit: 3})`; empty fields are left out.
 * @param {object} fields
 */
export function query(fields) {
  return Object.entries(fields)
    .filter(([, value]) => value !== '' && value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(written(value))}`)
    .join('&');
}

/** Return the bearer token of this tab, '' without one. */
export const token = () => sessionStorage.getItem(KEY) || '';

/** @param {string} text */
export function keepToken(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

/**
 * Return the answer of a route; a refusal is a `Fault` with its `status`.
 * @template {keyof Answers} Route
 * @param {Route} route
 * @param {object} [fields]
 * @param {AbortSignal | null} [signal]
 * @returns {Promise<Answers[Route]>}
 */
export async function ask(route, fields = {}, signal = null) {
  const asked = query(fields);
  /** @type {RequestInit} */
  const how = { signal, headers: bearer(token()), cache: 'no-store' };
  return json(await answered(asked ? `${route}?${asked}` : route, how, ''));
}

/**
 * Return the answer, or null where there is none: not found, not allowed, or a wrong request.
 * @template {keyof Answers} Route
 * @param {Route} route
 * @param {object} [fields]
 * @param {AbortSignal | null} [signal]
 * @returns {Promise<Answers[Route] | null>}
 */
export async function askIfThere(route, fields = {}, signal = null) {
  try {
    return await ask(route, fields, signal);
  } catch (fault) {
    const status = (fault instanceof Error && /** @type {Fault} */ (fault).status) || 0;
    if (status >= 400 && status < 500) return null;
    throw fault;
  }
}

/** What refreshes on a page until it is left. */
export class Lookout {
  /** @param {(fault: Fault | null) => void} trouble called with each error, and null when it is over */
  constructor(trouble) {
    this.trouble = trouble;
    /** @type {{look(): void, stop(): void}[]} */
    this.watches = [];
    this.stopped = false;
  }

  /**
   * Call `look` every `every_s` seconds, and `done` with what it returns.
   * @template Answer
   * @param {number} every_s
   * @param {(signal: AbortSignal) => Promise<Answer>} look
   * @param {(answer: Answer) => void} done
   * @returns {Watch<Answer>}
   */
  every(every_s, look, done) {
    /** @param {Answer} answer */
    const arrived = (answer) => {
      this.trouble(null);
      done(answer);
    };
    const watch = new Watch(look, arrived, this.trouble);
    watch.every_s = every_s;
    this.watches.push(watch);
    if (this.stopped)
      watch.stop(); // the page was left during a request
    else watch.look();
    return watch;
  }

  /** Refresh everything now. */
  again() {
    this.watches.forEach((watch) => watch.look());
  }

  stop() {
    this.stopped = true;
    this.watches.forEach((watch) => watch.stop());
  }
}
