/* Hits from this page, and how many were sent, acknowledged and counted.
 *
 * Keeps the counts of a `Sender` and shows them. The counted hits are queried from the service, not
 * summed here, to show that the numbers agree.
 */

import { el, say } from '../hailwhale/dom.js';
import { bearer } from '../hailwhale/source.js';
import { ask, query, token } from '../dashboard/net.js';
import { number } from '../dashboard/parts.js';

/**
 * A page of the demo; `start` shows it in a place and returns what stops it.
 * @typedef {object} Page
 * @property {string} name
 * @property {string} title
 * @property {string} told
 * @property {(place: HTMLElement) => () => void} start
 */

const LOOK_MS = 500;
export const ROOT = 'Demo';

/**
 * GET, or POST a body, with the token of this tab; tell whether it was acknowledged.
 * @param {string} url
 * @param {string} [body]
 */
async function acknowledged(url, body) {
  const headers = bearer(token());
  /** @type {RequestInit} */
  const how = { method: 'GET', headers, cache: 'no-store' };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    Object.assign(how, { method: 'POST', body });
  }
  try {
    return (await fetch(url, how)).ok;
  } catch {
    return false;
  }
}

/** Sends hits under a pk and counts them; `within` is the dimension they are counted by. */
export class Sender {
  /**
   * @param {string[]} pk
   * @param {string[]} [within]
   */
  constructor(pk, within = []) {
    this.pk = pk;
    this.within = within;
    this.sent = 0;
    this.known = 0;
    this.counted = 0;
    this.failed = 0;
    /** @type {number | null} what was counted before */
    this.base = null;
    this.stopped = false;
    /** @type {(fault?: string) => void} */
    this.told = () => {};
    this.timer = setTimeout(() => this.look(), 0);
  }

  /**
   * Send one hit by GET, as an image tag does.
   * @param {object} [fields]
   */
  async hit(fields = {}) {
    this.sent += 1;
    this.told();
    const done = await acknowledged(`/count?${query({ pk: this.pk, ...fields })}`);
    if (done) this.known += 1;
    else this.failed += 1;
    this.told();
    return done;
  }

  /**
   * Send many hits in one POST.
   * @param {object[]} events
   */
  async batch(events, route = '/count') {
    this.sent += events.length;
    this.told();
    if (await acknowledged(route, JSON.stringify(events))) this.known += events.length;
    else this.failed += events.length;
    this.told();
  }

  /** Ask how many are counted, and again a moment later. */
  async look() {
    clearTimeout(this.timer);
    if (!document.hidden) {
      try {
        const total = await hitsOf(this.pk, this.within);
        if (this.base === null) this.base = Math.max(0, total - this.counted);
        this.counted = total - this.base;
        this.told();
      } catch (fault) {
        this.told(messageOf(fault));
      }
    }
    if (!this.stopped) this.timer = setTimeout(() => this.look(), LOOK_MS);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

/**
 * Return how many hits are counted.
 * @param {string[]} pk
 * @param {string[]} within
 */
export async function hitsOf(pk, within) {
  const dimensions = within.length ? [within] : '';
  const answer = await ask('/totals', { pk, dimensions, metrics: 'hits', period: 'all' });
  return Object.values(answer.all)[0].hits;
}

/** @param {unknown} fault */
export const messageOf = (fault) => (fault instanceof Error ? fault.message : String(fault));

/**
 * Make the strip of three numbers that are the same in the end: sent, acknowledged, counted.
 * @param {Sender} sender
 */
export function strip(sender) {
  const names = ['Sent', 'Acknowledged', 'Counted'];
  const numbers = names.map(() => el('b', { class: 'number' }, '0'));
  const trouble = el('p', { class: 'bad', role: 'status' });
  const boxes = names.map((name, at) => {
    const label = el('span', { class: 'muted' }, name);
    return el('div', { class: 'paper', 'data-name': name }, label, numbers[at]);
  });
  const element = el('div', { class: 'strip' }, ...boxes, trouble);
  sender.told = (fault) => {
    const { sent, known, counted, failed } = sender;
    [sent, known, counted].forEach((value, at) => say(numbers[at], number(value)));
    element.toggleAttribute('data-even', sent > 0 && sent === counted);
    say(trouble, fault || (failed ? `${number(failed)} were not acknowledged.` : ''));
  };
  return element;
}

/**
 * Draw a graph.
 * @param {HTMLElement} place
 * @param {HailWhale.Options} options
 */
export function graph(place, options) {
  const own = { token: token(), interval: 1, period: '1m:15m', controls: false };
  return new HailWhale.Graph(place, { ...own, ...options });
}

/**
 * Make a button that calls `tick` so many times a second while it is pressed in.
 * @param {string} name
 * @param {number} a_second
 * @param {() => unknown} tick
 */
export function tap(name, a_second, tick) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  /** @type {HTMLButtonElement} */
  const button = el(
    'button',
    {
      type: 'button',
      class: 'primary',
      'aria-pressed': 'false',
      onclick: () => (timer ? stop() : start()),
    },
    name,
  );
  function start() {
    timer = setInterval(() => document.hidden || tick(), 1000 / a_second);
    button.setAttribute('aria-pressed', 'true');
    say(button, 'Stop');
    tick();
  }
  function stop() {
    clearInterval(timer);
    timer = undefined;
    button.setAttribute('aria-pressed', 'false');
    say(button, name);
  }
  return { button, stop };
}

/**
 * Return a random element of a list.
 * @template Item
 * @param {readonly Item[]} list
 */
export const pick = (list) => list[Math.floor(Math.random() * list.length)];
