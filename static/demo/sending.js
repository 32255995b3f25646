/* Hits from this page, and what became of them: sent, acknowledged, counted.
 *
 * Owns the counts of a `Sender` and the strip that shows them. What was counted is asked of the
 * service, not added up here: that it comes to the same is the point.
 */
import { ask, query, token } from '../dashboard/net.js';
import { el, number, say } from '../dashboard/parts.js';

const LOOK_MS = 500;
export const ROOT = 'Demo';

/** POST or GET with the token of this tab; true when it was acknowledged. */
async function acknowledged(url, body) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    const answer = await fetch(url, { method: body === undefined ? 'GET' : 'POST', body, headers, cache: 'no-store' });
    return answer.ok;
  } catch (fault) {
    return false;
  }
}

/** Sends hits under a pk and knows how many there were; `within` is the dimension they are counted by. */
export class Sender {
  constructor(pk, within = []) {
    Object.assign(this, { pk, within, sent: 0, known: 0, counted: 0, base: null, failed: 0 });
    this.told = () => {};
    this.timer = setTimeout(() => this.look(), 0);
  }

  /** One hit, by GET: what an image tag does. */
  async hit(fields = {}, route = '/count') {
    this.sent += 1;
    this.told();
    const done = await acknowledged(`${route}?${query({ pk: this.pk, ...fields })}`);
    if (done) this.known += 1;
    else this.failed += 1;
    this.told();
    return done;
  }

  /** Many hits in one POST. */
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
        const total = await this.total();
        if (this.base === null) this.base = Math.max(0, total - this.counted);
        this.counted = total - this.base;
        this.told();
      } catch (fault) {
        this.told(fault.message);
      }
    }
    if (!this.stopped) this.timer = setTimeout(() => this.look(), LOOK_MS);
  }

  async total() {
    const answer = await ask('/totals', { pk: this.pk, dimensions: this.within.length ? [this.within] : '', metrics: 'hits', period: 'all' });
    return Object.values(answer.all)[0].hits;
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

/** Sent, acknowledged, counted: three numbers that are the same in the end. */
export function strip(sender) {
  const names = ['Sent', 'Acknowledged', 'Counted'];
  const numbers = names.map(() => el('b', { class: 'number' }, '0'));
  const trouble = el('p', { class: 'bad', role: 'status' });
  const element = el('div', { class: 'strip' }, ...names.map((name, at) => el('div', { class: 'paper', 'data-name': name }, el('span', { class: 'muted' }, name), numbers[at])), trouble);
  sender.told = (fault) => {
    [sender.sent, sender.known, sender.counted].forEach((value, at) => say(numbers[at], number(value)));
    element.toggleAttribute('data-even', sender.sent > 0 && sender.sent === sender.counted);
    say(trouble, fault || (sender.failed ? `${number(sender.failed)} were not acknowledged.` : ''));
  };
  return element;
}

/** A graph in a place of its own. */
export function graph(place, options) {
  return new globalThis.HailWhale.Graph(place, { token: token(), interval: 1, period: '1m:15m', controls: false, ...options });
}

/** Something that goes on while a button is pressed in; `tick` is called so many times a second. */
export function tap(name, a_second, tick) {
  let timer = 0;
  const button = el('button', { type: 'button', class: 'primary', 'aria-pressed': 'false', onclick: () => (timer ? stop() : start()) }, name);
  function start() {
    timer = setInterval(() => document.hidden || tick(), 1000 / a_second);
    button.setAttribute('aria-pressed', 'true');
    say(button, 'Stop');
    tick();
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    button.setAttribute('aria-pressed', 'false');
    say(button, name);
  }
  return { button, start, stop };
}

export const pick = (list) => list[Math.floor(Math.random() * list.length)];
