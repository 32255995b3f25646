/* Very fast: many hits at once, and how soon they were acknowledged and counted.
 *
 * Each run counts under a dimension of its own, so its total is that of the run alone.
 */

import { number } from '../dashboard/parts.js';
import { el, say } from '../hailwhale/dom.js';
import { hitsOf, messageOf, ROOT, Sender, strip } from './sending.js';

const PK = [ROOT, 'Fast'];
/** @type {readonly [hits: number, size: number, how: string][]} */
const RUNS = [
  [300, 1, '1 per request'],
  [5000, 500, '500 per request'],
  [50000, 5000, '5,000 per request'],
];
const HEADS = ['Hits', 'How', 'Acknowledged', 'Per second', 'All counted after'];
const AT_ONCE = 6; // requests, as many as browsers send
const PATIENCE_MS = 60000;

/** @type {import('./sending.js').Page} */
export const fast = {
  name: 'fast',
  title: 'Very fast',
  told:
    'Send hits, and see how many are acknowledged and counted, and how fast. The browser is the ' +
    'bottleneck; a program on the same machine sends many times more.',
  start(place) {
    /** @type {Sender | null} */
    let sender = null;
    let stopped = false;
    const shown = el('div');
    const rows = el('tbody');
    const buttons = RUNS.map(([hits, size, how]) => {
      const onclick = () => fire(hits, size, how);
      const attributes = { type: 'button', class: 'primary', onclick };
      return el('button', attributes, `Fire ${number(hits)}, ${how}`);
    });
    const heads = HEADS.map((head) => el('th', { scope: 'col' }, head));
    const table = el('table', {}, el('thead', {}, el('tr', {}, ...heads)), rows);
    place.append(
      el('div', { class: 'doing' }, ...buttons),
      shown,
      el('div', { class: 'paper scrolled' }, table),
    );

    /** @type {(hits: number, size: number, how: string) => Promise<void>} */
    async function fire(hits, size, how) {
      for (const button of buttons) button.disabled = true;
      if (sender) sender.stop();
      const run = new Sender(PK, ['run', Date.now().toString(36)]);
      sender = run;
      run.base = 0;
      shown.replaceChildren(strip(run));
      const cells = HEADS.map(() => el('td', { class: 'number' }, '…'));
      say(cells[0], number(hits));
      say(cells[1], how);
      rows.prepend(el('tr', {}, ...cells));
      const [, , acknowledged, rate, all] = cells;
      try {
        const began_ms = performance.now();
        await send(run, hits, size);
        const took_s = (performance.now() - began_ms) / 1000;
        say(acknowledged, `${number(run.known)} in ${number(Math.round(took_s * 1000) / 1000)} s`);
        say(rate, number(Math.round(run.known / took_s)));
        const done = await counted(run, () => stopped);
        const after_s = Math.round(performance.now() - began_ms) / 1000;
        say(all, done ? `${number(after_s)} s` : `${number(run.counted)} so far`);
      } catch (fault) {
        say(all, messageOf(fault));
      }
      for (const button of buttons) button.disabled = false;
    }
    return () => {
      stopped = true;
      if (sender) sender.stop();
    };
  },
};

/**
 * Send hits, a few requests at once.
 * @param {Sender} sender
 * @param {number} hits
 * @param {number} size of a request
 */
async function send(sender, hits, size) {
  const dimensions = sender.within;
  let left = hits;
  async function lane() {
    while (left > 0) {
      const many = Math.min(size, left);
      left -= many;
      if (size === 1) await sender.hit({ dimensions });
      else await sender.batch(Array.from({ length: many }, () => ({ pk: PK, dimensions })));
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/**
 * Say whether all acknowledged hits are counted in time.
 * @param {Sender} sender
 * @param {() => boolean} stopped
 */
async function counted(sender, stopped) {
  const until_ms = performance.now() + PATIENCE_MS;
  while (performance.now() < until_ms && !stopped()) {
    if ((await hitsOf(PK, sender.within)) >= sender.known) {
      await sender.look();
      return true;
    }
    await new Promise((done) => {
      setTimeout(done, 50);
    });
  }
  return false;
}
