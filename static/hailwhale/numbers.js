/* The big-number view: the total of each series, its change and its sparkline. */

import { el, say, svg } from './dom.js';

const WIDTH = 120;
const HEIGHT = 28;

/**
 * Return the path of a sparkline within `width` by `height`, with a gap where a value is null. Pure.
 * @param {(number | null)[]} values
 * @param {number} width
 * @param {number} height
 */
export function spark(values, width, height) {
  // Here a null counts as 0.
  const least = Math.min(0, .../** @type {number[]} */ (values));
  const most = Math.max(0, .../** @type {number[]} */ (values));
  const span = most - least || 1;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, at) => {
      if (value === null) return '';
      const x = (at * step).toFixed(1);
      const y = (height - 1 - ((value - least) / span) * (height - 2)).toFixed(1);
      return `${at && values[at - 1] !== null ? 'L' : 'M'}${x} ${y}`;
    })
    .join('');
}

export class Numbers {
  constructor() {
    this.element = el('dl', { class: 'numbers' });
    /** @type {ReturnType<Numbers['item']>[]} */
    this.items = [];
  }

  /** @param {import('./legend.js').Entry[]} entries */
  draw(entries) {
    entries.forEach((one, at) => {
      if (!this.items[at]) this.items[at] = this.item();
      const item = this.items[at];
      const share = one.share || 0;
      say(item.name, one.name);
      say(item.text, one.total);
      say(item.change, one.change);
      item.change.dataset.way = share > 0 ? 'up' : share < 0 ? 'down' : '';
      item.path.setAttribute('d', spark(one.values, WIDTH, HEIGHT));
      item.path.style.stroke = one.color;
      if (!item.row.isConnected) this.element.append(item.row);
    });
    this.items.splice(entries.length).forEach((item) => item.row.remove());
  }

  item() {
    const path = svg('path', {});
    const drawn = svg(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      path,
    );
    const name = el('dt');
    const text = el('dd', { class: 'big' });
    const change = el('dd', { class: 'change' });
    const row = el('div', {}, name, text, change, el('dd', { class: 'spark' }, drawn));
    return { row, name, text, change, path };
  }
}
