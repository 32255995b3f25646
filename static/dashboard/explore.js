/* A pk, overall or within a dimension: its numbers, its graph, its children and its newest events.
 *
 * Decides which parts the page of a pk has, and updates them when the state changes. A state with
 * another pk or dimension is another page.
 */

import { cached } from '../hailwhale/cache.js';
import { el } from '../hailwhale/dom.js';
import { before } from './before.js';
import { breakdowns } from './breakdown.js';
import { builder } from './builder.js';
import { decision } from './decision.js';
import { feed } from './feed.js';
import { ask, askIfThere, token } from './net.js';
import { numbers } from './numbers.js';
import { arrange } from './parts.js';
import { asked, go, here, leads, link, namesOf, said, toPk } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./before.js').Before} Before */
/** @typedef {import('./answers.js').Known} Known */

const PERIODS = ['hour', 'day', 'today', 'seven', 'thirty', 'mtd', '1w:3mo', '1mo:1y', 'all'];
const EVERY_S = 10;

/**
 * Show the page of a state until `stop()`; `fits` tells whether it can show another state.
 * @param {HTMLElement} main
 * @param {import('./net.js').Lookout} lookout
 * @param {State} state
 */
export function explore(main, lookout, state) {
  const { pk, within } = state;
  const tiles = numbers(lookout);
  const below = breakdowns(lookout);
  const decided = decision(lookout, pk);
  const lines = builder();
  const tabs = el('nav', { class: 'tabs', 'aria-label': 'Dimensions' });
  const place = el('div', { class: 'graph' });
  /** @type {HTMLInputElement} */
  const compare = el('input', {
    type: 'checkbox',
    onchange: () => go({ compare: compare.checked ? '1' : '' }),
  });
  const versus = el('label', { class: 'versus' }, compare, ' Compare with the previous period');
  const add = adder();
  const inside = within.length ? el('p', { class: 'muted' }, said(within)) : null;
  main.append(
    el('div', { class: 'heading' }, el('h1', {}, said(pk)), inside, versus),
    ...[tabs, tiles.element, add.form, place, decided.element],
    el(
      'div',
      { class: 'beside' },
      below.element,
      feed(lookout, () => [pk]),
    ),
    lines.element,
  );

  /** @type {HailWhale.Graph | null} */
  let graph = null;
  /** @type {Known} */
  let known = { metrics: [], dimensions: [], decision: false };
  let leaf = false; // whether nothing is known below the dimension
  let turn = 0;
  const beforeOf = former(pk);

  /** @param {State} wanted */
  async function show(wanted) {
    turn += 1;
    const mine = turn;
    compare.checked = Boolean(wanted.compare);
    const old = wanted.compare ? await beforeOf(wanted.period) : null;
    if (mine !== turn) return;
    const options = optionsOf(wanted, old, leaf);
    if (graph) graph.update(options);
    else graph = new HailWhale.Graph(place, options);
    tiles.show(wanted, known, old);
    below.show(wanted, known, old);
    decided.show(wanted, known);
    lines.show(wanted, options);
  }

  place.addEventListener('hailwhale:period', ({ detail }) => go({ period: detail.period }));
  place.addEventListener('hailwhale:view', ({ detail }) => go({ view: detail.view }, true));

  /** @type {Map<string, HTMLElement>} by the name of a dimension, '' overall */
  const tabOf = new Map();

  /** @param {string} name */
  function tab(name) {
    const attributes = leads({ within: name ? [name] : [], view: '', sort: '' });
    const current = name === (within[0] || '') ? 'page' : null;
    return el('a', { ...attributes, 'aria-current': current }, name || 'Overall');
  }

  /** @param {AbortSignal} signal */
  async function look(signal) {
    const deep = within.length > 1;
    const paths = deep ? await askIfThere('/subdimensions', asked(state), signal) : null;
    leaf = Boolean(paths) && Object.values(paths || {}).every((found) => !found.length);
    return ask('/known', { pk }, signal);
  }

  /** @param {Known} answer */
  function learned(answer) {
    const [metrics, dimensions] = [answer.metrics, answer.dimensions].map(namesOf);
    const found = { ...answer, metrics, dimensions };
    const same = JSON.stringify(found) === JSON.stringify(known);
    known = found;
    const names = ['', ...known.dimensions];
    const shown = names.map((name) => cached(tabOf, name, () => tab(name)));
    arrange(tabs, shown);
    tabs.hidden = !known.dimensions.length;
    add.learn(known.metrics);
    if (!same || !graph) show(here());
  }

  lookout.every(EVERY_S, look, learned);

  return {
    show,
    stop: () => {
      turn += 1; // answers that are still to come are not drawn
      if (graph) graph.destroy();
    },
    fits: (/** @type {State} */ other) =>
      JSON.stringify([other.pk, other.within]) === JSON.stringify([pk, within]),
  };
}

/**
 * Return a function that finds the previous period; it requests the edges of each period once.
 * @param {string[]} pk
 */
function former(pk) {
  /** @type {{period: string, graph: import('./answers.js').Graph | null} | null} */
  let spans = null;
  /**
   * @param {string} period
   * @returns {Promise<Before | null>}
   */
  return async (period) => {
    if (!spans || spans.period !== period) {
      spans = { period, graph: await askIfThere('/graph.json', { pk, period }) };
    }
    const old = before(period, spans.graph);
    // There is no comparison if the store no longer has the data, such as minutes of two hours ago.
    return old && (await askIfThere('/graph.json', { pk, period: old.period })) ? old : null;
  };
}

/**
 * Return the options of the graph of a state.
 * @param {State} wanted
 * @param {Before | null} old
 * @param {boolean} leaf
 */
function optionsOf(wanted, old, leaf) {
  const { pk, within, metric, period } = wanted;
  const below = within.length === 1 || (within.length > 1 && !leaf);
  const ratio = /[/:*]/.test(metric);
  /** @type {HailWhale.View} */
  const suited = below && !ratio ? 'stacked' : 'area';
  return {
    ...asked(wanted),
    metrics: metric,
    period,
    periods: PERIODS,
    depth: below ? 1 : 0,
    threshold: below ? 0 : '',
    limit: below ? 8 : '',
    other: below && !ratio ? 1 : '',
    compare: old && !below ? old.period : '',
    view: wanted.view || suited,
    height: 300,
    title: said([...pk, ...within, metric]),
    token: token(),
    interval: period === 'hour' ? 2 : '',
  };
}

/** Make a field for any formula over the metrics that are counted. */
function adder() {
  const list = el('datalist', { id: 'metrics' });
  const field = el('input', {
    list: 'metrics',
    placeholder: 'Any formula: dollars/hits',
    'aria-label': 'Metric or formula',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (field.value.trim()) go({ metric: field.value.trim(), view: '' });
    field.value = '';
  };
  const button = el('button', { type: 'submit' }, 'Show');
  const form = el('form', { class: 'adder', onsubmit }, field, list, button);
  /** @param {string[]} metrics */
  const learn = (metrics) => {
    const ratios = metrics.filter((name) => name !== 'hits').map((name) => `${name}/hits`);
    const offered = [...metrics, ...ratios];
    if (list.children.length === offered.length) return;
    list.replaceChildren(...offered.map((value) => el('option', { value })));
  };
  return { form, learn };
}

/**
 * Return the links back, one for each label of the pk and the dimension.
 * @param {State} state
 */
export function crumbs(state) {
  const { pk, within } = state;
  const steps = [
    ...pk.map((label, at) => ({ label, href: toPk(pk.slice(0, at + 1)) })),
    ...within.map((label, at) => ({ label, href: link({ within: within.slice(0, at + 1) }) })),
  ];
  return steps.flatMap(({ label, href }, at) => [
    el('span', { class: 'muted', 'aria-hidden': 'true' }, at === pk.length ? '·' : '›'),
    el('a', { href, 'aria-current': at === steps.length - 1 ? 'page' : null }, label),
  ]);
}
