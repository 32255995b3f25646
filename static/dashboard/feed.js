/* The live feed: the last events of some pks, from the service's spy log.
 *
 * Where the log is switched off or not allowed, there is no feed.
 */

import { el } from '../hailwhale/dom.js';
import { askIfThere } from './net.js';
import { ago, card, number } from './parts.js';
import { said } from './state.js';

/** @typedef {import('./answers.js').SpiedEvent} SpiedEvent */

const EVERY_S = 3;
const SHOWN = 14;

/**
 * Make a card of the last events under the paths that `pks()` returns, newest first.
 * @param {import('./net.js').Lookout} lookout
 * @param {() => string[][]} pks
 */
export function feed(lookout, pks) {
  const list = el('ol', { class: 'events', tabindex: '0', 'aria-label': 'The last events' });
  const { element } = card('Just now', { class: 'feed', hidden: true }, list);
  /** @type {Set<string>} */
  let before = new Set();

  /** @param {AbortSignal} signal */
  async function look(signal) {
    const asked = pks().map((pk) => askIfThere('/spy', { pk, limit: SHOWN }, signal));
    const answers = await Promise.all(asked);
    return answers.flatMap((answer) => (answer ? answer.events : [])).filter(isNews);
  }

  /** @param {SpiedEvent[]} events */
  function draw(events) {
    const newest = events.sort((a, b) => b.at - a.at).slice(0, SHOWN);
    /** @type {Map<string, number>} */
    const counts = new Map();
    const rows = newest.map((event) => {
      const text = JSON.stringify(event);
      const count = (counts.get(text) || 0) + 1;
      counts.set(text, count);
      return { key: `${text}${count}`, event };
    });
    element.hidden = !rows.length;
    list.replaceChildren(
      ...rows.map(({ key, event }) => row(event, before.size > 0 && !before.has(key))),
    );
    before = new Set(rows.map(({ key }) => key));
  }

  lookout.every(EVERY_S, look, draw);
  return element;
}

/**
 * Tell whether an event came from outside: a decision also records that it was asked.
 * @param {SpiedEvent} event
 */
const isNews = ({ metrics }) => metrics.hits !== 0 || !('decided' in metrics);

/**
 * @param {SpiedEvent} event
 * @param {boolean} fresh
 */
function row(event, fresh) {
  const metrics = Object.entries(event.metrics);
  const worth = metrics
    .filter(([name]) => name !== 'hits' || metrics.length === 1)
    .map(([name, value]) => `${typeof value === 'number' ? number(value) : value} ${name}`);
  const chips = event.dimensions
    .slice(0, 5)
    .map((path) => el('span', { class: 'chip', title: said(path) }, said(path.slice(-1))));
  return el(
    'li',
    { class: fresh ? 'rise' : null },
    el('span', { class: 'where' }, said(event.pk)),
    el('time', { class: 'muted number' }, ago(event.at, Date.now() / 1000)),
    el('span', { class: 'what' }, worth.join(' · ')),
    el('span', { class: 'chips' }, ...chips),
  );
}
