/* The first page: each root pk with its last day and the one before, decisions, what just came.
 *
 * Owns the cards and their order. Where nothing was ever counted it says what to do first.
 */

import { el, say } from '../hailwhale/dom.js';
import { todayOf } from './before.js';
import { feed } from './feed.js';
import { ask, askIfThere } from './net.js';
import { change, number, remove, spark } from './parts.js';
import { namesOf, toPk } from './state.js';

const EVERY_S = 10;
const EAGER = 24; // cards that load at once; others when they scroll into view
const SHOWN = 3; // metrics of a card
const DAYS = ['1h:2d', '1d:60d']; // by the hour, or where no hours are kept by the day
/** @type {readonly [string, string][]} */
const FIRST = [
  ['sold $200 in services', '/count?dimensions=services&metrics={"dollars": 200}'],
  ['bought $2000 in advertising', '/count?dimensions=advertising&metrics={"dollars": -2000}'],
  ['sold product 12 for $500', '/count?dimensions={"sales": 12}&metric={"dollars": 500}'],
];

/**
 * Show the first page, and return what stops it.
 * @param {HTMLElement} main
 * @param {import('./net.js').Lookout} lookout
 */
export function home(main, lookout) {
  /** @type {Map<string, Card>} */
  const cards = new Map();
  const sum = el('p', { class: 'big number' }, '–');
  const moved = el('p', { class: 'muted' });
  const filter = el('input', {
    type: 'search',
    placeholder: 'Find a pk',
    'aria-label': 'Find a pk',
    oninput: () => sieve(),
  });
  const grid = el('ol', { class: 'grid' });
  const busiest = () => [...cards.values()].sort(busier).slice(0, 8);
  const recent = feed(lookout, () => busiest().map((one) => [one.root]));
  const full = el(
    'div',
    { hidden: true },
    el('div', { class: 'hero' }, el('div', {}, el('h1', {}, 'Today'), sum, moved), filter),
    el('div', { class: 'beside' }, grid, recent),
  );
  const first = welcome(() => lookout.again());
  main.append(full, first);

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      cards.get(target.getAttribute('data-root') || '')?.start();
    }
  });

  function sieve() {
    const wanted = filter.value.trim().toLowerCase();
    for (const one of cards.values()) {
      one.element.hidden = !one.root.toLowerCase().includes(wanted);
    }
  }

  function told() {
    const all = [...cards.values()];
    const now = all.reduce((total, one) => total + one.now, 0);
    const then = all.reduce((total, one) => total + one.then, 0);
    const by = 'yesterday by this time';
    say(sum, number(Math.round(now)));
    moved.replaceChildren('hits ', change(now, then, by), then ? ` on ${by}` : '');
    // Once, and not under the focus: cards that change places can neither be clicked nor tabbed to.
    const focused = grid.contains(document.activeElement);
    if (!grid.dataset.sorted && !focused && all.every((one) => one.answered)) {
      grid.dataset.sorted = 'yes';
      grid.append(...all.sort(busier).map((one) => one.element));
    }
  }

  /** @param {string} root */
  function add(root) {
    const one = new Card(root, lookout, told);
    cards.set(root, one);
    grid.append(one.element);
    if (cards.size <= EAGER) one.start();
    else {
      one.answered = true;
      seen.observe(one.element);
    }
  }

  /** @param {{pks: string[][]}} answer */
  function draw({ pks }) {
    full.hidden = !pks.length;
    // The welcome stays while its buttons are used, below what they have counted.
    first.hidden = pks.length > 0 && !first.querySelector('button:disabled');
    const roots = new Set(pks.map(([root]) => root));
    for (const root of roots) if (!cards.has(root)) add(root);
    for (const [root, one] of cards) {
      if (roots.has(root)) continue;
      one.stop();
      remove(one.element);
      cards.delete(root);
    }
    sieve();
  }

  lookout.every(EVERY_S, (signal) => ask('/pks', {}, signal), draw);
  return () => seen.disconnect();
}

/** @type {(a: Card, b: Card) => number} */
const busier = (a, b) => b.now - a.now || (a.root < b.root ? -1 : 1);

/** A root pk: hits of today, how that compares, the last 24 hours, and what else it counts. */
class Card {
  /**
   * @param {string} root
   * @param {import('./net.js').Lookout} lookout
   * @param {() => void} told called after each answer
   */
  constructor(root, lookout, told) {
    this.root = root;
    this.lookout = lookout;
    this.told = told;
    this.now = 0;
    this.then = 0;
    this.answered = false;
    this.days = 0;
    this.stop = () => {};
    this.count = el('b', { class: 'number' }, '–');
    this.moved = el('span');
    this.kind = el('span', { class: 'chip', hidden: true }, 'decision');
    this.drawn = el('div', { class: 'drawn' });
    this.rest = el('p', { class: 'rest muted' });
    const name = el('h2', {}, root === '_' ? 'No pk' : root);
    const unit = el('span', { class: 'muted' }, 'hits today');
    const link = el(
      'a',
      { class: 'paper card', href: toPk([root]) },
      el('span', { class: 'name' }, name, this.kind),
      el('span', { class: 'today' }, this.count, unit, this.moved),
      ...[this.drawn, this.rest],
    );
    this.element = el('li', { 'data-root': root }, link);
  }

  start() {
    const watch = this.lookout.every(
      EVERY_S,
      (signal) => this.look(signal),
      (answer) => this.draw(answer),
    );
    this.stop = () => watch.stop();
  }

  /** @param {AbortSignal} signal */
  async look(signal) {
    const pk = [this.root];
    const known = await askIfThere('/known', { pk }, signal);
    const others = known ? namesOf(known.metrics).filter((name) => name !== 'hits') : [];
    const metrics = ['hits', ...others.slice(0, SHOWN)];
    const decision = Boolean(known && known.decision);
    while (this.days < DAYS.length) {
      const fields = { pk, metrics, period: DAYS[this.days] };
      const graph = await askIfThere('/graph.json', fields, signal);
      if (graph) return { decision, graph };
      this.days += 1;
    }
    return { decision, graph: null };
  }

  /** @param {{decision: boolean, graph: import('./answers.js').Graph | null}} answer */
  draw({ decision, graph }) {
    this.answered = true;
    this.kind.hidden = !decision;
    if (graph) {
      const [hits, ...others] = graph.series;
      const { now, then } = todayOf(graph, hits, Date.now());
      if (this.now && now > this.now) this.beat();
      this.now = now;
      this.then = then;
      say(this.count, number(now));
      this.moved.replaceChildren(change(now, then, 'yesterday by this time'));
      const half = hits.values.length / 2;
      this.drawn.replaceChildren(spark(hits.values.slice(half), hits.values.slice(0, half)));
      const rest = others.map((one) => {
        const today = todayOf(graph, one, Date.now()).now;
        return `${number(today)} ${one.metric}`;
      });
      say(this.rest, rest.join(' · '));
    }
    this.told();
  }

  /** Show that hits came. */
  beat() {
    this.element.classList.remove('beat');
    requestAnimationFrame(() => this.element.classList.add('beat'));
  }
}

/**
 * Make the section that says what to do first.
 * @param {() => void} again refreshes the page
 */
function welcome(again) {
  /** @type {(first: readonly [string, string]) => HTMLElement} */
  const row = ([told, url]) => {
    const onclick = async () => {
      button.disabled = true;
      await fetch(encodeURI(url), { cache: 'no-store' });
      say(button, 'Counted');
      setTimeout(again, 400);
      setTimeout(again, 1500);
    };
    const button = el('button', { type: 'button', onclick }, 'Count it');
    return el('li', {}, el('code', {}, url), button, el('span', { class: 'muted' }, told));
  };
  const text =
    'Nothing has to be declared first. Fetch one of these URLs from here, from an image tag or from ' +
    'any program, and it is counted.';
  return el(
    'section',
    { class: 'welcome rise', hidden: true },
    el('img', { src: '/static/whale.svg', alt: '', width: 84, height: 84 }),
    el('h1', {}, 'It is running. Count something.'),
    el('p', { class: 'muted' }, text),
    el('ol', { class: 'paper firsts' }, ...FIRST.map(row)),
    el(
      'p',
      {},
      ...[el('a', { class: 'quiet primary', href: '/demo' }, 'See what it can do'), ' '],
      el('span', { class: 'muted' }, 'or send it the events of a made-up shop: '),
      el('code', {}, 'hailwhale demo'),
    ),
  );
}
