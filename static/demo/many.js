/* Count many things: each sale under its product, by country and device, with what it brought. */

import { el } from '../hailwhale/dom.js';
import { graph, pick, ROOT, Sender, strip, tap } from './sending.js';

const PK = [ROOT, 'Sales'];
/** @type {Readonly<Record<string, number>>} */
const PRODUCTS = { 'Plush whale': 24.9, 'Hail umbrella': 39, 'Storm lamp': 89, 'Whale mug': 12.5 };
const COUNTRIES = ['US', 'US', 'US', 'US', 'DE', 'DE', 'BR', 'JP', 'NZ'];
const DEVICES = [
  { phone: 'iOS' },
  { phone: 'Android' },
  { desktop: 'Mac OS X' },
  { desktop: 'Windows' },
];
const A_SECOND = 6;
/** @type {Record<string, Intl.NumberFormatOptions>} */
const FORMATS = { dollars: { style: 'currency', currency: 'USD' } };

/** @type {import('./sending.js').Page} */
export const many = {
  name: 'many',
  title: 'Count many things',
  told:
    'One hit for each sale, with a product, a country, a device and dollars. Nothing was declared ' +
    'first; every breakdown is available at once.',
  start(place) {
    const sender = new Sender(PK);
    /** @param {string} product */
    const sell = (product) =>
      sender.hit({
        pk: [...PK, product],
        dimensions: { country: pick(COUNTRIES), device: pick(DEVICES) },
        metrics: { dollars: PRODUCTS[product] },
      });
    const rain = tap('Let it hail', A_SECOND, () => sell(pick(Object.keys(PRODUCTS))));
    const shelf = Object.entries(PRODUCTS).map(([product, price]) => {
      const onclick = () => sell(product);
      return el('button', { type: 'button', onclick }, `${product} · $${price}`);
    });
    const [total, country, device] = [1, 2, 3].map(() => el('div'));
    const or = el('span', { class: 'muted' }, 'or sell');
    place.append(
      el('div', { class: 'doing' }, rain.button, or, ...shelf),
      strip(sender),
      total,
      el('div', { class: 'pair' }, country, device),
    );
    const shown = graphs(total, country, device);
    return () => {
      rain.stop();
      sender.stop();
      shown.forEach((one) => one.destroy());
    };
  },
};

/**
 * @param {HTMLElement} total
 * @param {HTMLElement} country
 * @param {HTMLElement} device
 */
function graphs(total, country, device) {
  return [
    graph(total, {
      pk: PK,
      metrics: 'dollars,hits,dollars/hits',
      view: 'number',
      title: 'All sales',
      formats: FORMATS,
    }),
    graph(country, {
      pk: PK,
      metrics: 'dollars',
      dimensions: 'country',
      depth: 1,
      threshold: 0,
      view: 'stacked',
      title: 'Dollars by country',
      formats: FORMATS,
    }),
    graph(device, {
      pk: PK,
      metrics: 'hits',
      dimensions: 'device',
      depth: 2,
      threshold: 0,
      view: 'line',
      title: 'Sales by device',
    }),
  ];
}
