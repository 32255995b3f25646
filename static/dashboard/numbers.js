/* The totals of a pk: a tile for each metric, with its change; a click on one draws it. */

import { el, say } from '../hailwhale/dom.js';
import { keyOf, sumsBefore } from './before.js';
import { askIfThere } from './net.js';
import { arrange, change, number } from './parts.js';
import { asked, go } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./before.js').Before} Before */
/** @typedef {{state: State, old: Before | null, metrics: string[]}} Asking */
/** @typedef {{found: (import('./answers.js').Graph | null)[], by: Asking}} Found */

const EVERY_S = 3;
const MOST = 12;

/** @param {import('./net.js').Lookout} lookout */
export function numbers(lookout) {
  const element = el('div', { class: 'tiles', role: 'group', 'aria-label': 'Metrics' });
  /** @type {Map<string, ReturnType<typeof tileOf>>} */
  const tiles = new Map();
  /** @type {import('../hailwhale/source.js').Watch<Found> | null} */
  let watch = null;
  /** @type {Asking} */
  let asking;

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Found>}
   */
  async function look(signal) {
    const by = asking;
    const { state, old, metrics } = by;
    const periods = [state.period, ...(old ? [old.period] : [])];
    const requests = periods.map((period) =>
      askIfThere('/graph.json', { ...asked(state), metrics, period }, signal),
    );
    return { found: await Promise.all(requests), by };
  }

  /** @param {Found} answer */
  function draw({ found: [now, then], by }) {
    if (by !== asking || !now) return;
    const were = then ? sumsBefore(now, then) : new Map();
    for (const one of now.series) {
      const tile = tiles.get(one.metric);
      if (!tile) continue;
      say(tile.total, number(one.total));
      tile.moved.replaceChildren(change(one.total, were.get(keyOf(one)), by.old?.told));
    }
  }

  /**
   * Show tiles of all metrics, and of the formula that is drawn.
   * @param {State} state
   * @param {import('./answers.js').Known} known
   * @param {Before | null} old
   */
  function show(state, known, old) {
    const metrics = [...new Set(['hits', ...known.metrics])].slice(0, MOST);
    if (!metrics.includes(state.metric)) metrics.push(state.metric);
    asking = { state, old, metrics };
    for (const name of tiles.keys()) if (!metrics.includes(name)) tiles.delete(name);
    const shown = metrics.map((name) => {
      const tile = tiles.get(name) || tileOf(name);
      tiles.set(name, tile);
      tile.element.setAttribute('aria-pressed', String(name === state.metric));
      return tile.element;
    });
    arrange(element, shown);
    if (watch) watch.look();
    else watch = lookout.every(EVERY_S, look, draw);
  }

  return { element, show };
}

/** @param {string} name */
function tileOf(name) {
  const total = el('b', { class: 'number' }, '–');
  const moved = el('span');
  const onclick = () => go({ metric: name });
  const label = el('span', { class: 'muted' }, name);
  const attributes = { type: 'button', class: 'tile', onclick };
  return { total, moved, element: el('button', attributes, label, total, moved) };
}
