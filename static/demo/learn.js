/* A decision that learns: simulated visitors of two countries, who like different pages.
 *
 * Each visitor asks /decide which page to see, and is counted by /count_decision with what it spent.
 * What the visitors like is known to this page alone; the service finds it out.
 */
import { ask, askIfThere } from '../dashboard/net.js';
import { bar, el, number, percent, say, svg } from '../dashboard/parts.js';
import { pick, ROOT, Sender, strip, tap } from './sending.js';

const OPTIONS = ['plain', 'photo', 'story'];
const LIKES = { US: { plain: 0.06, photo: 0.35, story: 0.12 }, NZ: { plain: 0.33, photo: 0.05, story: 0.12 } };
const PLACES = { US: 'Visitors from the US', NZ: 'Visitors from New Zealand' };
const A_SECOND = 3;
const AT_ONCE = 10;
const LOOK_MS = 1000;
const KEPT = 240; // looks that are drawn

export default {
  name: 'learn',
  title: 'A decision that learns',
  told: 'Which of three pages earns most, for this visitor? Thirty visitors a second come from two countries, which like different pages. Nobody tells the service that: watch the shares move.',
  start(place) {
    const run = Math.random().toString(36).slice(2, 7); // each time from nothing
    const pk = [ROOT, `Page ${run}`];
    const sender = new Sender(pk);
    const boards = Object.fromEntries(Object.keys(PLACES).map((country) => [country, new Board(country)]));
    let stopped = false;
    let timer = 0;

    async function visit() {
      const country = pick(Object.keys(LIKES));
      const dimensions = { country };
      const given = await ask('/decide', { pk, options: OPTIONS, dimensions, by_metric: 'earned/hits', reasons: 0 });
      boards[country].gave(given);
      const bought = Math.random() < LIKES[country][given.option];
      return { pk, option: given.option, dimensions, metrics: bought ? { earned: 10 } : {} };
    }

    let busy = false; // a service that takes its time gets fewer visitors, not a queue of them
    const crowd = tap('Let visitors in', A_SECOND, async () => {
      if (busy) return;
      busy = true;
      try {
        await sender.batch(await Promise.all(Array.from({ length: AT_ONCE }, visit)), '/count_decision');
      } catch (fault) {
        sender.told(fault.message);
      }
      busy = false;
    });

    async function look() {
      for (const [country, board] of Object.entries(boards)) {
        if (!sender.counted) break;
        const answer = await askIfThere('/reasons', { pk, options: OPTIONS, by_metric: 'earned/hits', dimensions: { country } });
        if (answer && !stopped) board.draw(answer.options);
      }
      if (!stopped) timer = setTimeout(() => look().catch(again), LOOK_MS);
    }
    const again = () => {
      if (!stopped) timer = setTimeout(() => look().catch(again), 2 * LOOK_MS);
    };
    place.append(el('div', { class: 'doing' }, crowd.button, el('a', { href: `/#/${pk.map(encodeURIComponent).join('/')}` }, 'This decision in the dashboard')), strip(sender), el('div', { class: 'pair' }, ...Object.values(boards).map((board) => board.element)));
    look().catch(again);
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
  constructor(country) {
    this.country = country;
    this.history = [];
    this.last = el('p', { class: 'muted number' }, 'Nobody yet.');
    this.chart = svg('svg', { class: 'shares', viewBox: '0 0 400 120', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Shares of the options over time' });
    this.body = el('tbody', {});
    const secret = el('details', {}, el('summary', {}, 'What they really like'), el('p', { class: 'muted' }, OPTIONS.map((option) => `${option} ${percent(LIKES[country][option])}`).join(', ')));
    const heads = ['Page', 'Share', 'Best', 'Worth', 'Verdict', 'Why'];
    this.element = el('section', { class: 'paper learner', 'data-country': country }, el('h2', {}, PLACES[country]), this.last, this.chart,
      el('div', { class: 'scrolled' }, el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))), this.body)), secret);
  }

  gave({ option, propensity }) {
    say(this.last, `The last one was given ${option}, which had a probability of ${percent(propensity)}.`);
  }

  draw(options) {
    this.history = [...this.history, OPTIONS.map((option) => options[option].share)].slice(-KEPT);
    const x = (at) => (at * 400) / Math.max(1, this.history.length - 1);
    let below = this.history.map(() => 0);
    this.chart.replaceChildren(...OPTIONS.map((option, place) => {
      const above = below.map((low, at) => low + this.history[at][place]);
      const points = [...above.map((share, at) => [x(at), share]), ...below.map((share, at) => [x(at), share]).reverse()];
      below = above;
      return svg('polygon', { class: `option-${place}`, points: points.map(([left, share]) => `${left.toFixed(1)},${(120 - 120 * share).toFixed(1)}`).join(' ') });
    }));
    this.body.replaceChildren(...OPTIONS.map((option, place) => {
      const known = options[option];
      return el('tr', { 'data-option': option }, el('th', { scope: 'row' }, el('i', { class: `swatch option-${place}` }), option),
        el('td', { class: 'number share' }, bar(known.share), el('b', {}, percent(known.share))), el('td', { class: 'number' }, percent(known.best)),
        el('td', { class: 'number' }, `$${number(Math.round(known.estimate * 100) / 100)}`), el('td', {}, el('span', { class: `verdict ${known.verdict}` }, known.verdict)), el('td', { class: 'why muted' }, known.reason));
    }));
  }
}
