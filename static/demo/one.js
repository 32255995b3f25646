/* Count one thing: a button, three numbers, a graph. */

import { el } from '../hailwhale/dom.js';
import { graph, ROOT, Sender, strip } from './sending.js';

const PK = [ROOT, 'Clicks'];

/** @type {import('./sending.js').Page} */
export const one = {
  name: 'one',
  title: 'Count one thing',
  told:
    'Each click fetches one URL, as an image tag would. It is acknowledged when the store has it, ' +
    'and counted within a second.',
  start(place) {
    const sender = new Sender(PK);
    const onclick = () => sender.hit();
    const button = el('button', { type: 'button', class: 'primary huge', onclick }, 'Count one');
    const url = `${location.origin}/count?pk=["${PK.join('","')}"]`;
    const drawn = el('div');
    place.append(el('div', { class: 'doing' }, button, el('code', {}, url)), strip(sender), drawn);
    const shown = graph(drawn, { pk: PK, view: 'bar', title: 'Clicks by the minute' });
    return () => {
      sender.stop();
      shown.destroy();
    };
  },
};
