/* The totals of a pk: a tile for each metric, with its change; a click on one draws it. */
import { keyOf, sumsBefore } from './before.js';
import { askIfThere } from './net.js';
import { arrange, change, el, number, say } from './parts.js';
import { asked, go } from './state.js';

const EVERY_S = 3;
const MOST = 12;

export function numbers(lookout) {
  const element = el('div', { class: 'tiles', role: 'group', 'aria-label': 'Metrics' });
  const tiles = new Map();
  let asking = null;
  let watch = null;

  async function look(signal) {
    const { state, old, metrics } = asking;
    const periods = [state.period, ...(old ? [old.period] : [])];
    const found = await Promise.all(periods.map((period) => askIfThere('/graph.json', { ...asked(state), metrics, period }, signal)));
    return { found, asked: asking };
  }

  function draw({ found: [now, then], asked: by }) {
    if (by !== asking || !now) return;
    const were = then ? sumsBefore(now, then) : new Map();
    for (const one of now.series) {
      const tile = tiles.get(one.metric);
      say(tile.total, number(one.total));
      tile.moved.replaceChildren(change(one.total, were.has(keyOf(one)) ? were.get(keyOf(one)) : null, by.old ? by.old.told : ''));
    }
  }

  /** Tiles of all metrics, and of the formula that is drawn. */
  function show(state, known, old) {
    const metrics = [...new Set(['hits', ...known.metrics.filter((name) => name !== 'hits')])].slice(0, MOST);
    if (!metrics.includes(state.metric)) metrics.push(state.metric);
    asking = { state, old, metrics };
    for (const name of tiles.keys()) if (!metrics.includes(name)) tiles.delete(name);
    arrange(element, metrics.map((name) => {
      if (!tiles.has(name)) tiles.set(name, tile(name));
      const one = tiles.get(name);
      one.element.setAttribute('aria-pressed', String(name === state.metric));
      return one.element;
    }));
    if (watch) watch.look();
    else watch = lookout.every(EVERY_S, look, draw);
  }

  return { element, show };
}

function tile(name) {
  const total = el('b', { class: 'number' }, '–');
  const moved = el('span', {});
  return { total, moved, element: el('button', { type: 'button', class: 'tile', onclick: () => go({ metric: name }) }, el('span', { class: 'muted' }, name), total, moved) };
}
