/* Very fast: some hundreds or thousands of hits at once, and how soon each was acknowledged and counted.
 *
 * Each run counts under a dimension of its own, so its total is that of the run alone.
 */
import { ask } from '../dashboard/net.js';
import { el, number, say } from '../dashboard/parts.js';
import { ROOT, Sender, strip } from './sending.js';

const PK = [ROOT, 'Fast'];
const RUNS = [[300, 1, 'one a request'], [5000, 500, '500 a request'], [50000, 5000, '5,000 a request']];
const AT_ONCE = 6; // requests, as many as browsers send
const PATIENCE_MS = 60000;

export default {
  name: 'fast',
  title: 'Very fast',
  told: 'Fire, and see how many were acknowledged and counted, and in which time. The browser is the slow part; a program on the same machine sends many times more.',
  start(place) {
    let sender = null;
    let stopped = false;
    const shown = el('div', {});
    const rows = el('tbody', {});
    const heads = ['Hits', 'How', 'Acknowledged', 'A second', 'All counted after'];
    const buttons = RUNS.map(([hits, size, how]) => el('button', { type: 'button', class: 'primary', onclick: () => fire(hits, size, how) }, `Fire ${number(hits)}, ${how}`));
    place.append(el('div', { class: 'doing' }, ...buttons), shown, el('div', { class: 'paper scrolled' }, el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))), rows)));

    async function fire(hits, size, how) {
      buttons.forEach((button) => { button.disabled = true; });
      const run = `${Date.now().toString(36)}`;
      if (sender) sender.stop();
      sender = new Sender(PK, ['run', run]);
      sender.base = 0;
      shown.replaceChildren(strip(sender));
      const cells = heads.map(() => el('td', { class: 'number' }, '…'));
      say(cells[0], number(hits));
      say(cells[1], how);
      rows.prepend(el('tr', {}, ...cells));
      try {
        const began_ms = performance.now();
        await send(sender, run, hits, size);
        const took_s = (performance.now() - began_ms) / 1000;
        say(cells[2], `${number(sender.known)} in ${number(Math.round(took_s * 1000) / 1000)} s`);
        say(cells[3], number(Math.round(sender.known / took_s)));
        const all = await counted(sender, () => stopped);
        say(cells[4], all ? `${number(Math.round(performance.now() - began_ms) / 1000)} s` : `${number(sender.counted)} were, so far`);
      } catch (fault) {
        say(cells[4], fault.message);
      }
      buttons.forEach((button) => { button.disabled = false; });
    }
    return () => {
      stopped = true;
      if (sender) sender.stop();
    };
  },
};

/** Send them, a few requests at once. */
async function send(sender, run, hits, size) {
  let left = hits;
  async function lane() {
    while (left > 0) {
      const many = Math.min(size, left);
      left -= many;
      if (size === 1) await sender.hit({ dimensions: ['run', run] });
      else await sender.batch(Array.from({ length: many }, () => ({ pk: PK, dimensions: ['run', run] })));
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Whether all that was acknowledged is counted before patience ends. */
async function counted(sender, stopped) {
  const until_ms = performance.now() + PATIENCE_MS;
  while (performance.now() < until_ms && !stopped()) {
    const answer = await ask('/totals', { pk: PK, dimensions: [sender.within], metrics: 'hits', period: 'all' });
    if (Object.values(answer.all)[0].hits >= sender.known) {
      await sender.look();
      return true;
    }
    await new Promise((done) => { setTimeout(done, 50); });
  }
  return false;
}
