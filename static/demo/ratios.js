/* Ratios: two sliders set how many buy and what they pay; formulas over sums show it again. */

import { el, say } from '../hailwhale/dom.js';
import { graph, ROOT, Sender, strip, tap } from './sending.js';

const PK = [ROOT, 'Conversions'];
const A_SECOND = 8;
/** @type {Intl.NumberFormatOptions} */
const USD = { style: 'currency', currency: 'USD' };
/** @type {Record<string, Intl.NumberFormatOptions>} */
const FORMATS = {
  'sold/shown': { style: 'percent', maximumFractionDigits: 1 },
  'dollars/sold': USD,
  'dollars/shown': USD,
};

/** @type {import('./sending.js').Page} */
export const ratios = {
  name: 'ratios',
  title: 'Ratios',
  told:
    'A hit for each visitor: shown 1, sold 0 or 1, and dollars. The ratios sold/shown and ' +
    'dollars/sold are never counted. They are computed from sums, so they are right for any period.',
  start(place) {
    const sender = new Sender(PK);
    const rate = slider('Buy', 30, (value) => `${value} %`);
    const price = slider('Pay', 20, (value) => `$${value}`);
    const come = () => {
      const sold = Math.random() * 100 < rate.value() ? 1 : 0;
      return sender.hit({ metrics: { shown: 1, sold, dollars: sold * price.value() } });
    };
    const crowd = tap('Let visitors in', A_SECOND, come);
    const [numbers, left, right] = [1, 2, 3].map(() => el('div'));
    place.append(
      el('div', { class: 'doing' }, crowd.button, rate.element, price.element),
      strip(sender),
      numbers,
      el('div', { class: 'pair' }, left, right),
    );
    const shown = graphs(numbers, left, right);
    return () => {
      crowd.stop();
      sender.stop();
      shown.forEach((one) => one.destroy());
    };
  },
};

/**
 * @param {HTMLElement} numbers
 * @param {HTMLElement} left
 * @param {HTMLElement} right
 */
function graphs(numbers, left, right) {
  const shared = { pk: PK, formats: FORMATS };
  return [
    graph(numbers, {
      ...shared,
      metrics: 'shown,sold/shown,dollars/sold,dollars/shown',
      view: 'number',
      title: 'Last 15 minutes',
    }),
    graph(left, { ...shared, metrics: 'sold/shown', view: 'area', title: 'Conversion' }),
    graph(right, {
      ...shared,
      metrics: 'dollars/shown',
      view: 'area',
      title: 'Dollars per visitor',
    }),
  ];
}

/**
 * @param {string} name
 * @param {number} first
 * @param {(value: number | string) => string} written
 */
function slider(name, first, written) {
  const output = el('output', { class: 'number' }, written(first));
  /** @type {HTMLInputElement} */
  const input = el('input', {
    type: 'range',
    min: 1,
    max: 100,
    value: first,
    'aria-label': name,
    oninput: () => say(output, written(input.value)),
  });
  const label = el('span', { class: 'muted' }, name);
  return {
    value: () => Number(input.value),
    element: el('label', { class: 'slider' }, label, input, output),
  };
}
