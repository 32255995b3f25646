/* A decision: each option with how likely it is the best, what it is worth, its share, and why.
 *
 * Shown at a pk whose options are counted right below it. Within a dimension (country › US) it is what
 * holds for such a visitor. The range of each estimate is drawn on one scale for all.
 */
import { askIfThere } from './net.js';
import { bar, card, el, number, percent, say, svg } from './parts.js';
import { go, said } from './state.js';

const EVERY_S = 4;
const WIDTH = 200;

export function decision(lookout, pk) {
  const told = el('p', { class: 'muted' });
  const warning = el('p', { class: 'notice', hidden: true });
  const by = el('input', { 'aria-label': 'Decided by', spellcheck: 'false', autocomplete: 'off', placeholder: 'earned/spent', list: 'metrics' });
  const goal = el('select', { 'aria-label': 'Goal', onchange: () => go({ goal: goal.value }, true) }, el('option', { value: '' }, 'more is better'), el('option', { value: 'min' }, 'less is better'));
  const form = el('form', { class: 'adder', onsubmit: (event) => { event.preventDefault(); go({ by: by.value.trim() }, true); } }, el('span', { class: 'muted' }, 'by'), by, goal);
  const body = el('tbody', {});
  const heads = ['Option', 'Best', 'Worth, with 95 % interval', 'Share', 'Shown', 'Verdict', 'Why'];
  const table = el('table', { class: 'options' }, el('thead', {}, el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)))), body);
  const element = card('Decision', { class: 'decision', hidden: true }, told, warning, el('div', { class: 'scrolled' }, table));
  element.firstChild.append(form);
  let asking = null;
  let watch = null;

  async function look(signal) {
    const mine = asking;
    const { state } = mine;
    const visitor = state.within.length > 1 ? [state.within] : '';
    const answer = await askIfThere('/reasons', { pk, by_metric: mine.by, goal: state.goal, dimensions: visitor }, signal);
    return { mine, answer };
  }

  function draw({ mine, answer }) {
    if (mine !== asking) return;
    element.hidden = false;
    const options = answer ? Object.entries(answer.options).sort((a, b) => b[1].best - a[1].best) : [];
    say(told, options.length ? headline(options, mine.state.within) : `Nothing can be told by ${mine.by}.`);
    const suspicion = (answer && answer.sample_ratio && answer.sample_ratio.warning) || '';
    say(warning, suspicion);
    warning.hidden = !suspicion;
    const scale = scaleOf(options);
    body.replaceChildren(...options.map(([name, known]) => row(name, known, scale)));
    table.hidden = !options.length;
  }

  /** Look whether this is a decision, and at what is known of its options. */
  async function show(state, known) {
    if (!known.decision) {
      element.hidden = true;
      return;
    }
    const mine = { state, by: state.by || (state.metric === 'hits' ? guess(known.metrics) : state.metric) };
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

/** By what it may be decided, from what is counted. */
function guess(metrics) {
  const has = (...names) => names.every((name) => metrics.includes(name));
  if (has('earned', 'spent')) return 'earned/spent';
  const [first] = ['revenue', 'dollars', 'earned', 'sales', 'conversions', 'signups', 'clicks'].filter((name) => has(name));
  return first || metrics.find((name) => name !== 'hits') || 'hits';
}

function headline(options, within) {
  const [[name, best]] = options;
  const whom = within.length > 1 ? ` for ${said(within)}` : '';
  return `${name} is the best${whom} with a probability of ${percent(best.best)}.`;
}

function scaleOf(options) {
  const ends = options.flatMap(([, known]) => known.interval);
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  return (value) => 6 + ((WIDTH - 12) * (value - least)) / (most - least || 1);
}

function row(name, known, x) {
  const [low, high] = known.interval;
  const range = svg('svg', { class: `range ${known.verdict}`, viewBox: `0 0 ${WIDTH} 18`, 'aria-hidden': 'true' },
    svg('line', { class: 'rail', x1: 0, x2: WIDTH, y1: 9, y2: 9 }),
    svg('line', { class: 'between', x1: x(low), x2: x(high), y1: 9, y2: 9 }),
    svg('circle', { cx: x(known.estimate), cy: 9, r: 5 }));
  return el('tr', {}, el('th', { scope: 'row' }, name),
    el('td', { class: 'best number' }, bar(known.best), el('b', {}, percent(known.best))),
    el('td', { class: 'worth' }, range, el('span', { class: 'number' }, el('b', {}, number(known.estimate)), el('span', { class: 'muted' }, ` ${number(low)} – ${number(high)}`))),
    el('td', { class: 'number' }, percent(known.share)),
    el('td', { class: 'number muted' }, number(known.hits)),
    el('td', {}, el('span', { class: `verdict ${known.verdict}` }, known.verdict)),
    el('td', { class: 'why muted' }, known.reason));
}
