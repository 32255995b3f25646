/* Ratios: two sliders say how many buy and what they pay; formulas over sums show it again. */
import { el, say } from '../dashboard/parts.js';
import { graph, ROOT, Sender, strip, tap } from './sending.js';

const PK = [ROOT, 'Conversions'];
const A_SECOND = 8;

export default {
  name: 'ratios',
  title: 'Ratios',
  told: 'A hit for each visitor: shown 1, sold 0 or 1, and dollars. sold/shown and dollars/sold are asked for, never counted: they are worked out on sums, so they are right for any span.',
  start(place) {
    const sender = new Sender(PK);
    const rate = slider('Buy', 30, (value) => `${value} %`);
    const price = slider('Pay', 20, (value) => `$${value}`);
    const come = () => {
      const sold = Math.random() * 100 < rate.value() ? 1 : 0;
      return sender.hit({ metrics: { shown: 1, sold, dollars: sold * price.value() } });
    };
    const crowd = tap('Let visitors in', A_SECOND, come);
    const [numbers, left, right] = [1, 2, 3].map(() => el('div', {}));
    place.append(el('div', { class: 'doing' }, crowd.button, rate.element, price.element), strip(sender), numbers, el('div', { class: 'pair' }, left, right));
    const formats = { 'sold/shown': { style: 'percent', maximumFractionDigits: 1 }, 'dollars/sold': { style: 'currency', currency: 'USD' }, 'dollars/shown': { style: 'currency', currency: 'USD' } };
    const shown = [
      graph(numbers, { pk: PK, metrics: 'shown,sold/shown,dollars/sold,dollars/shown', view: 'number', title: 'The last quarter of an hour', formats }),
      graph(left, { pk: PK, metrics: 'sold/shown', view: 'area', title: 'Who buys', formats }),
      graph(right, { pk: PK, metrics: 'dollars/shown', view: 'area', title: 'What a visitor is worth', formats }),
    ];
    return () => {
      crowd.stop();
      sender.stop();
      shown.forEach((one) => one.destroy());
    };
  },
};

function slider(name, first, written) {
  const output = el('output', { class: 'number' }, written(first));
  const input = el('input', { type: 'range', min: 1, max: 100, value: first, 'aria-label': name, oninput: () => say(output, written(input.value)) });
  return { value: () => Number(input.value), element: el('label', { class: 'slider' }, el('span', { class: 'muted' }, name), input, output) };
}
