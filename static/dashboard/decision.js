/* A decision: for each option the probability of being best, the estimate, the share, and why.
 *
 * Shown at a pk whose children are options. Within a dimension (country › US) it shows the values for
 * such a visitor. The intervals of the estimates are drawn on one scale.
 */

import { el, say, svg } from '../hailwhale/dom.js';
import { askIfThere } from './net.js';
import { bar, card, number, percent } from './parts.js';
import { go, said } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./answers.js').Known} Known */
/** @typedef {import('./answers.js').KnownOption} KnownOption */
/** @typedef {{state: State, by: string}} Asking */
/** @typedef {{mine: Asking, answer: import('./answers.js').Reasons | null}} Found */

const EVERY_S = 4;
const WIDTH = 200;
const HEADS = ['Option', 'Best', 'Worth, with 95 % interval', 'Share', 'Shown', 'Verdict', 'Why'];

/**
 * @param {import('./net.js').Lookout} lookout
 * @param {string[]} pk
 */
export function decision(lookout, pk) {
  const told = el('p', { class: 'muted' });
  const warning = el('p', { class: 'notice', hidden: true });
  const { form, by, goal } = asker();
  const body = el('tbody');
  const heads = HEADS.map((text) => el('th', { scope: 'col' }, text));
  const table = el('table', { class: 'options' }, el('thead', {}, el('tr', {}, ...heads)), body);
  const scrolled = el('div', { class: 'scrolled' }, table);
  const attributes = { class: 'decision', hidden: true };
  const { element, header } = card('Decision', attributes, told, warning, scrolled);
  header.append(form);
  /** @type {Asking} */
  let asking;
  /** @type {import('../hailwhale/source.js').Watch<Found> | null} */
  let watch = null;

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Found>}
   */
  async function look(signal) {
    const mine = asking;
    const { state } = mine;
    const dimensions = state.within.length > 1 ? [state.within] : '';
    const fields = { pk, by_metric: mine.by, goal: state.goal, dimensions };
    return { mine, answer: await askIfThere('/reasons', fields, signal) };
  }

  /** @param {Found} found */
  function draw({ mine, answer }) {
    if (mine !== asking) return;
    element.hidden = false;
    const options = answer ? Object.entries(answer.options) : [];
    options.sort((a, b) => b[1].best - a[1].best);
    const none = `There are no results for ${mine.by}.`;
    say(told, options.length ? headline(options[0], mine.state.within) : none);
    const suspicion = answer?.sample_ratio?.warning || '';
    say(warning, suspicion);
    warning.hidden = !suspicion;
    const scale = scaleOf(options.map(([, known]) => known));
    body.replaceChildren(...options.map(([name, known]) => row(name, known, scale)));
    table.hidden = !options.length;
  }

  /**
   * Find out whether this is a decision, and what is known of its options.
   * @param {State} state
   * @param {Known} known
   */
  async function show(state, known) {
    if (!known.decision) {
      element.hidden = true;
      return;
    }
    const counted = state.metric === 'hits' ? guess(known.metrics) : state.metric;
    const mine = { state, by: state.by || counted };
    asking = mine;
    by.value = mine.by;
    goal.value = state.goal;
    const below = await askIfThere('/pks', { pk });
    if (mine !== asking || !below || !below.pks.length) return;
    const deeper = await askIfThere('/pks', { pk: below.pks[0] });
    if (mine !== asking || (deeper && deeper.pks.length)) return; // the decisions are further down
    if (watch) watch.look();
    else watch = lookout.every(EVERY_S, look, draw);
  }

  return { element, show };
}

/** Make the form that says by which metric the decision is made, and towards which goal. */
function asker() {
  const by = el('input', {
    'aria-label': 'Decided by',
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: 'earned/spent',
    list: 'metrics',
  });
  const onchange = () => go({ goal: goal.value }, true);
  /** @type {HTMLSelectElement} */
  const goal = el(
    'select',
    { 'aria-label': 'Goal', onchange },
    el('option', { value: '' }, 'more is better'),
    el('option', { value: 'min' }, 'less is better'),
  );
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    go({ by: by.value.trim() }, true);
  };
  const label = el('span', { class: 'muted' }, 'by');
  return { form: el('form', { class: 'adder', onsubmit }, label, by, goal), by, goal };
}

/**
 * Guess by which metric it may be decided, from what is counted.
 * @param {string[]} metrics
 */
function guess(metrics) {
  if (metrics.includes('earned') && metrics.includes('spent')) return 'earned/spent';
  const likely = ['revenue', 'dollars', 'earned', 'sales', 'conversions', 'signups', 'clicks'];
  const first = likely.find((name) => metrics.includes(name));
  return first || metrics.find((name) => name !== 'hits') || 'hits';
}

/**
 * @param {[string, KnownOption]} first
 * @param {string[]} within
 */
function headline([name, { best }], within) {
  const whom = within.length > 1 ? ` for ${said(within)}` : '';
  return `${name} is the best${whom} with a probability of ${percent(best)}.`;
}

/**
 * Return the scale that has room for all intervals, from values to pixels.
 * @param {KnownOption[]} options
 */
function scaleOf(options) {
  const ends = options.flatMap(({ interval }) => interval);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  /** @param {number} value */
  return (value) => 6 + ((WIDTH - 12) * (value - least)) / (most - least || 1);
}

/**
 * @param {string} name
 * @param {KnownOption} known
 * @param {(value: number) => number} x
 */
function row(name, known, x) {
  const { best, estimate, interval, share, hits, verdict, reason } = known;
  const [low, high] = interval;
  const range = svg(
    'svg',
    { class: `range ${verdict}`, viewBox: `0 0 ${WIDTH} 18`, 'aria-hidden': 'true' },
    svg('line', { class: 'rail', x1: 0, x2: WIDTH, y1: 9, y2: 9 }),
    svg('line', { class: 'between', x1: x(low), x2: x(high), y1: 9, y2: 9 }),
    svg('circle', { cx: x(estimate), cy: 9, r: 5 }),
  );
  const ends = el('span', { class: 'muted' }, ` ${number(low)} – ${number(high)}`);
  const worth = el('span', { class: 'number' }, el('b', {}, number(estimate)), ends);
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, name),
    el('td', { class: 'best number' }, bar(best), el('b', {}, percent(best))),
    el('td', { class: 'worth' }, range, worth),
    el('td', { class: 'number' }, percent(share)),
    el('td', { class: 'number muted' }, number(hits)),
    el('td', {}, el('span', { class: `verdict ${verdict}` }, verdict)),
    el('td', { class: 'why muted' }, reason),
  );
}
