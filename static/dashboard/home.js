/* The first page: every root pk with its last day beside the one before, decisions, what just came.
 *
 * Owns the cards and their order. Where nothing was ever counted it says what to do first.
 */
import { todayOf } from './before.js';
import { feed } from './feed.js';
import { ask, askIfThere } from './net.js';
import { change, el, number, remove, say, spark } from './parts.js';
import { toPk } from './state.js';

const EVERY_S = 10;
const EAGER = 24; // cards that look at once; others when they come into sight
const SHOWN = 3; // metrics of a card
const DAYS = ['1h:2d', '1d:60d']; // by the hour, or where no hours are kept by the day
const FIRST = [
  ['sold $200 in services', '/count?dimensions=services&metrics={"dollars": 200}'],
  ['bought $2000 in advertising', '/count?dimensions=advertising&metrics={"dollars": -2000}'],
  ['sold product 12 for $500', '/count?dimensions={"sales": 12}&metric={"dollars": 500}'],
];

export function home(main, lookout) {
  const cards = new Map();
  const sum = el('p', { class: 'big number' }, '–');
  const moved = el('p', { class: 'muted' });
  const filter = el('input', { type: 'search', placeholder: 'Find a pk', 'aria-label': 'Find a pk', oninput: () => sieve() });
  const grid = el('ol', { class: 'grid' });
  const recent = feed(lookout, () => [...cards.values()].sort(busier).slice(0, 8).map((one) => [one.root]));
  const full = el('div', { hidden: true },
    el('div', { class: 'hero' }, el('div', {}, el('h1', {}, 'Today'), sum, moved), filter),
    el('div', { class: 'beside' }, grid, recent));
  const first = welcome(() => lookout.again());
  main.append(full, first);

  const seen = new IntersectionObserver((entries) => entries.filter((one) => one.isIntersecting).forEach(({ target }) => {
    seen.unobserve(target);
    cards.get(target.dataset.root).start();
  }));

  function sieve() {
    const wanted = filter.value.trim().toLowerCase();
    for (const one of cards.values()) one.element.hidden = !one.root.toLowerCase().includes(wanted);
  }

  function told() {
    const all = [...cards.values()];
    const [now, then] = ['now', 'then'].map((name) => all.reduce((total, one) => total + one[name], 0));
    say(sum, number(Math.round(now)));
    moved.replaceChildren('hits ', change(now, then, 'yesterday by this time'), then ? ' on yesterday by this time' : '');
    // Once, and not under the focus: cards that change places can neither be clicked nor tabbed to.
    if (!grid.dataset.sorted && all.every((one) => one.answered) && !grid.contains(document.activeElement)) {
      grid.dataset.sorted = 'yes';
      grid.append(...all.sort(busier).map((one) => one.element));
    }
  }

  lookout.every(EVERY_S, (signal) => ask('/pks', {}, signal), ({ pks }) => {
    full.hidden = !pks.length;
    // Who counts the first things from here goes on doing so, below what came of it.
    first.hidden = pks.length > 0 && !first.querySelector('button:disabled');
    for (const [root] of pks) {
      if (cards.has(root)) continue;
      const one = new Card(root, lookout, told);
      cards.set(root, one);
      grid.append(one.element);
      if (cards.size <= EAGER) one.start();
      else {
        one.answered = true;
        seen.observe(one.element);
      }
    }
    for (const [root, one] of cards) {
      if (pks.some(([name]) => name === root)) continue;
      one.watch.stop();
      remove(one.element);
      cards.delete(root);
    }
    sieve();
  });
  return () => seen.disconnect();
}

const busier = (a, b) => b.now - a.now || (a.root < b.root ? -1 : 1);

/** A root pk: hits of today, how that compares, the last 24 hours, and what else it counts. */
class Card {
  constructor(root, lookout, told) {
    Object.assign(this, { root, lookout, told, now: 0, then: 0, answered: false, known: null, days: 0, watch: { stop() {} } });
    this.count = el('b', { class: 'number' }, '–');
    this.moved = el('span', {});
    this.kind = el('span', { class: 'chip', hidden: true }, 'decision');
    this.drawn = el('div', { class: 'drawn' });
    this.rest = el('p', { class: 'rest muted' });
    this.element = el('li', { 'data-root': root }, el('a', { class: 'paper card', href: toPk([root]) },
      el('span', { class: 'name' }, el('h2', {}, root === '_' ? 'No pk' : root), this.kind),
      el('span', { class: 'today' }, this.count, el('span', { class: 'muted' }, 'hits today'), this.moved),
      this.drawn, this.rest));
  }

  start() {
    this.watch = this.lookout.every(EVERY_S, (signal) => this.look(signal), (answer) => this.draw(answer));
  }

  async look(signal) {
    const pk = [this.root];
    const known = await askIfThere('/known', { pk }, signal);
    this.known = known || { metrics: [], decision: false };
    const metrics = ['hits', ...this.known.metrics.filter((name) => name !== 'hits').slice(0, SHOWN)];
    while (this.days < DAYS.length) {
      const found = await askIfThere('/graph.json', { pk, metrics, period: DAYS[this.days] }, signal);
      if (found) return found;
      this.days += 1;
    }
    return null;
  }

  draw(answer) {
    this.answered = true;
    this.kind.hidden = !this.known.decision;
    if (answer) {
      const [hits, ...others] = answer.series;
      const { now, then } = todayOf(answer, hits, Date.now());
      if (this.now && now > this.now) this.beat();
      Object.assign(this, { now, then });
      say(this.count, number(now));
      this.moved.replaceChildren(change(now, then, 'yesterday by this time'));
      const half = hits.values.length / 2;
      this.drawn.replaceChildren(spark(hits.values.slice(half), hits.values.slice(0, half)));
      say(this.rest, others.map((one) => `${number(todayOf(answer, one, Date.now()).now)} ${one.metric}`).join(' · '));
    }
    this.told();
  }

  /** Something came. */
  beat() {
    this.element.classList.remove('beat');
    requestAnimationFrame(() => this.element.classList.add('beat'));
  }
}

/** What to do first. */
function welcome(again) {
  const row = ([told, url]) => el('li', {}, el('code', {}, url), el('button', {
    type: 'button',
    onclick: async ({ target }) => {
      target.disabled = true;
      await fetch(encodeURI(url), { cache: 'no-store' });
      say(target, 'Counted');
      setTimeout(again, 400);
      setTimeout(again, 1500);
    },
  }, 'Count it'), el('span', { class: 'muted' }, told));
  return el('section', { class: 'welcome rise', hidden: true },
    el('img', { src: '/static/whale.svg', alt: '', width: 84, height: 84 }),
    el('h1', {}, 'It is running. Count something.'),
    el('p', { class: 'muted' }, 'Nothing has to be declared first: fetch one of these, from here, an image tag or any program, and it is there.'),
    el('ol', { class: 'paper firsts' }, ...FIRST.map(row)),
    el('p', {}, el('a', { class: 'quiet primary', href: '/demo' }, 'See what it can do'), ' ',
      el('span', { class: 'muted' }, 'or fill it with the traffic of a made-up shop: '), el('code', {}, 'hailwhale demo')));
}
