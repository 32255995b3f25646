/* A decision that learns: simulated visitors of two countries, who like different pages.
 *
 * Each visitor asks /decide which page to see, and is counted by /count_decision with what it spent.
 * Only this page knows what the visitors like; the service learns it.
 */

import { ask, askIfThere } from '../dashboard/net.js';
import { bar, number, percent } from '../dashboard/parts.js';
import { el, say, svg } from '../hailwhale/dom.js';
import { messageOf, pick, ROOT, Sender, strip, tap } from './sending.js';

const OPTIONS = ['plain', 'photo', 'story'];
/** @type {Readonly<Record<string, Record<string, number>>>} */
const LIKES = {
  US: { plain: 0.06, photo: 0.35, story: 0.12 },
  NZ: { plain: 0.33, photo: 0.05, story: 0.12 },
};
const PLACES = { US: 'Visitors from the US', NZ: 'Visitors from New Zealand' };
const METRIC = { by_metric: 'earned/hits' };
const A_SECOND = 3;
const AT_ONCE = 10;
const LOOK_MS = 1000;
const KEPT = 240; // requests whose answers are drawn

/** @type {import('./sending.js').Page} */
export const learn = {
  name: 'learn',
  title: 'A decision that learns',
  told:
    'Which of three pages earns most from this visitor? Thirty visitors a second come from two ' +
    'countries, which prefer different pages. The service learns that: watch the shares change.',
  start(place) {
    const run = Math.random().toString(36).slice(2, 7); // a new decision each time
    const pk = [ROOT, `Page ${run}`];
    const sender = new Sender(pk);
    const boards = new Map(
      Object.entries(PLACES).map(([country, title]) => [country, new Board(country, title)]),
    );
    let stopped = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;

    async function visit() {
      const country = pick([...boards.keys()]);
      const dimensions = { country };
      const asked = { pk, options: OPTIONS, dimensions, ...METRIC, reasons: 0 };
      const given = await ask('/decide', asked);
      boards.get(country)?.gave(given);
      const bought = Math.random() < LIKES[country][given.option];
      return { pk, option: given.option, dimensions, metrics: bought ? { earned: 10 } : {} };
    }

    let busy = false; // a slow service gets fewer visitors, not a queue of them
    const crowd = tap('Let visitors in', A_SECOND, async () => {
      if (busy) return;
      busy = true;
      try {
        const visits = await Promise.all(Array.from({ length: AT_ONCE }, visit));
        await sender.batch(visits, '/count_decision');
      } catch (fault) {
        sender.told(messageOf(fault));
      }
      busy = false;
    });

    async function look() {
      for (const [country, board] of boards) {
        if (!sender.counted) break;
        const asked = { pk, options: OPTIONS, ...METRIC, dimensions: { country } };
        const answer = await askIfThere('/reasons', asked);
        if (answer && !stopped) board.draw(answer.options);
      }
      again(LOOK_MS);
    }
    /** @param {number} wait_ms */
    const again = (wait_ms) => {
      if (!stopped) timer = setTimeout(() => look().catch(() => again(2 * LOOK_MS)), wait_ms);
    };
    const address = `/#/${pk.map(encodeURIComponent).join('/')}`;
    const link = el('a', { href: address }, 'This decision in the dashboard');
    place.append(
      el('div', { class: 'doing' }, crowd.button, link),
      strip(sender),
      el('div', { class: 'pair' }, ...[...boards.values()].map((board) => board.element)),
    );
    again(0);
    return () => {
      stopped = true;
      clearTimeout(timer);
      crowd.stop();
      sender.stop();
    };
  },
};

/** What is known for the visitors of one country. */
class Board {
  /**
   * @param {string} country
   * @param {string} title
   */
  constructor(country, title) {
    /** @type {number[][]} the shares of the options, by request */
    this.history = [];
    this.last = el('p', { class: 'muted number' }, 'No visitors yet.');
    this.chart = svg('svg', {
      class: 'shares',
      viewBox: '0 0 400 120',
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': 'Shares of the options over time',
    });
    this.body = el('tbody');
    const likes = OPTIONS.map((option) => `${option} ${percent(LIKES[country][option])}`);
    const secret = el(
      'details',
      {},
      el('summary', {}, 'What they really prefer'),
      el('p', { class: 'muted' }, likes.join(', ')),
    );
    const heads = ['Page', 'Share', 'Best', 'Worth', 'Verdict', 'Why'].map((head) =>
      el('th', { scope: 'col' }, head),
    );
    const table = el('table', {}, el('thead', {}, el('tr', {}, ...heads)), this.body);
    this.element = el(
      'section',
      { class: 'paper learner', 'data-country': country },
      ...[el('h2', {}, title), this.last, this.chart],
      el('div', { class: 'scrolled' }, table),
      secret,
    );
  }

  /** @param {HailWhale.Decided} given */
  gave({ option, propensity }) {
    const chance = percent(propensity);
    say(this.last, `The last visitor got ${option}, with a probability of ${chance}.`);
  }

  /** @param {Record<string, import('../dashboard/answers.js').KnownOption>} options */
  draw(options) {
    const shares = OPTIONS.map((option) => options[option].share);
    this.history = [...this.history, shares].slice(-KEPT);
    this.chart.replaceChildren(...polygons(this.history));
    this.body.replaceChildren(...OPTIONS.map((option, at) => row(option, at, options[option])));
  }
}

/**
 * Return the options' shares over time, one on top of the other.
 * @param {number[][]} history
 */
function polygons(history) {
  /** @type {(share: number, at: number) => string} */
  const point = (share, at) => {
    const left = (at * 400) / Math.max(1, history.length - 1);
    return `${left.toFixed(1)},${(120 - 120 * share).toFixed(1)}`;
  };
  let below = history.map(() => 0);
  return OPTIONS.map((_, option) => {
    const above = below.map((low, at) => low + history[at][option]);
    const points = [...above.map(point), ...below.map(point).reverse()].join(' ');
    below = above;
    return svg('polygon', { class: `option-${option}`, points });
  });
}

/**
 * @param {string} option
 * @param {number} at
 * @param {import('../dashboard/answers.js').KnownOption} known
 */
function row(option, at, { share, best, estimate, verdict, reason }) {
  const swatch = el('i', { class: `swatch option-${at}` });
  const worth = `$${number(Math.round(estimate * 100) / 100)}`;
  return el(
    'tr',
    { 'data-option': option },
    el('th', { scope: 'row' }, swatch, option),
    el('td', { class: 'number share' }, bar(share), el('b', {}, percent(share))),
    el('td', { class: 'number' }, percent(best)),
    el('td', { class: 'number' }, worth),
    el('td', {}, el('span', { class: `verdict ${verdict}` }, verdict)),
    el('td', { class: 'why muted' }, reason),
  );
}
