/* A pk, overall or within a dimension: its numbers, its graph, what is below it, and what just came.
 *
 * Owns which parts a page of a pk has, and what each is told when the state changes. A state with the
 * same pk and dimension changes what is there; another one is another page.
 */
import { before } from './before.js';
import { breakdowns } from './breakdown.js';
import { builder } from './builder.js';
import { decision } from './decision.js';
import { feed } from './feed.js';
import { ask, askIfThere, token } from './net.js';
import { numbers } from './numbers.js';
import { arrange, el } from './parts.js';
import { asked, go, here, leads, link, said, toPk } from './state.js';

const PERIODS = ['hour', 'day', 'today', 'seven', 'thirty', 'mtd', '1w:3mo', '1mo:1y', 'all'];
const EVERY_S = 10;

export function explore(main, lookout, state) {
  const { pk, within } = state;
  const parts = { numbers: numbers(lookout), breakdowns: breakdowns(lookout), decision: decision(lookout, pk), builder: builder() };
  const tabs = el('nav', { class: 'tabs', 'aria-label': 'Dimensions' });
  const tabOf = new Map(); // by the name of a dimension, '' overall
  const place = el('div', { class: 'graph' });
  const versus = el('label', { class: 'versus' }, el('input', { type: 'checkbox', onchange: ({ target }) => go({ compare: target.checked ? '1' : '' }) }), ' Beside the period before');
  const add = adder();
  main.append(el('div', { class: 'heading' }, el('h1', {}, said(pk)), within.length ? el('p', { class: 'muted' }, said(within)) : null, versus),
    tabs, parts.numbers.element, add, place,
    parts.decision.element,
    el('div', { class: 'beside' }, parts.breakdowns.element, feed(lookout, () => [pk])),
    parts.builder.element);

  let graph = null;
  let known = { metrics: [], dimensions: [], decision: false };
  let spans = null; // {period, graph}: the edges of a period, to know the one before it

  /** The period to compare with; asks for the edges of a period when they are not known. */
  async function versusOf(wanted) {
    if (!wanted.compare) return null;
    if (!spans || spans.period !== wanted.period) {
      const found = await askIfThere('/graph.json', { pk, period: wanted.period });
      spans = { period: wanted.period, graph: found };
    }
    const old = before(wanted.period, spans.graph);
    // What a store does not keep (minutes of two hours ago) is not compared with.
    return old && await askIfThere('/graph.json', { pk, period: old.period }) ? old : null;
  }

  function optionsOf(wanted, old) {
    const below = within.length === 1 || (within.length > 1 && !leaf);
    const ratio = /[/:*]/.test(wanted.metric);
    return {
      ...asked(wanted),
      metrics: wanted.metric,
      period: wanted.period,
      periods: PERIODS,
      depth: below ? 1 : 0,
      threshold: below ? 0 : '',
      limit: below ? 8 : '',
      other: below && !ratio ? 1 : '',
      compare: old && !below ? old.period : '',
      view: wanted.view || (below && !ratio ? 'stacked' : 'area'),
      height: 300,
      title: said([...pk, ...within, wanted.metric]),
      token: token(),
      interval: wanted.period === 'hour' ? 2 : '',
    };
  }

  let leaf = false; // whether nothing is known below the dimension
  let turn = 0;
  async function show(wanted) {
    const mine = turn += 1;
    versus.firstChild.checked = Boolean(wanted.compare);
    const old = await versusOf(wanted);
    if (mine !== turn) return;
    const options = optionsOf(wanted, old);
    if (graph) graph.update(options);
    else graph = new globalThis.HailWhale.Graph(place, options);
    parts.numbers.show(wanted, known, old);
    parts.breakdowns.show(wanted, known, old);
    parts.decision.show(wanted, known);
    parts.builder.show(wanted, options);
  }

  place.addEventListener('hailwhale:period', ({ detail }) => go({ period: detail.period }));
  place.addEventListener('hailwhale:view', ({ detail }) => go({ view: detail.view }, true));

  function tab(name) {
    return el('a', {
      ...leads({ within: name ? [name] : [], view: '', sort: '' }),
      'aria-current': name === (within[0] || '') ? 'page' : null,
    }, name || 'Overall');
  }

  function learned(answer) {
    const same = JSON.stringify(answer) === JSON.stringify(known);
    known = answer;
    for (const name of ['', ...known.dimensions]) if (!tabOf.has(name)) tabOf.set(name, tab(name));
    arrange(tabs, ['', ...known.dimensions].map((name) => tabOf.get(name)));
    tabs.hidden = !known.dimensions.length;
    add.learn(known.metrics);
    if (!same || !graph) show(here());
  }

  lookout.every(EVERY_S, async (signal) => {
    const below = within.length > 1 ? await askIfThere('/subdimensions', asked(state), signal) : null;
    leaf = Boolean(below) && Object.values(below).every((paths) => !paths.length);
    return ask('/known', { pk }, signal);
  }, learned);

  return {
    show,
    stop: () => {
      turn += 1; // what is asked still is not drawn any more
      if (graph) graph.destroy();
    },
    fits: (other) => JSON.stringify([other.pk, other.within]) === JSON.stringify([pk, within]),
  };
}

/** A field for a number of one's own: any formula over what is counted. */
function adder() {
  const list = el('datalist', { id: 'metrics' });
  const field = el('input', { list: 'metrics', placeholder: 'Any formula: dollars/hits', 'aria-label': 'Metric or formula', spellcheck: 'false', autocomplete: 'off' });
  const form = el('form', {
    class: 'adder',
    onsubmit: (event) => {
      event.preventDefault();
      if (field.value.trim()) go({ metric: field.value.trim(), view: '' });
      field.value = '';
    },
  }, field, list, el('button', { type: 'submit' }, 'Show'));
  form.learn = (metrics) => {
    const offered = [...metrics, ...metrics.filter((name) => name !== 'hits').map((name) => `${name}/hits`)];
    if (list.children.length !== offered.length) list.replaceChildren(...offered.map((value) => el('option', { value })));
  };
  return form;
}

/** Where you are: every step of the way is a link back. */
export function crumbs(state) {
  const steps = state.pk.map((label, at) => [label, toPk(state.pk.slice(0, at + 1))]);
  state.within.forEach((label, at) => steps.push([label, link({ within: state.within.slice(0, at + 1) })]));
  return steps.flatMap(([label, href], at) => [el('span', { class: 'muted', 'aria-hidden': 'true' }, at === state.pk.length ? '·' : '›'),
    el('a', { href, 'aria-current': at === steps.length - 1 ? 'page' : null }, label)]);
}
