/* Count many things: each sale under its product, by country and device, with what it brought. */
import { el } from '../dashboard/parts.js';
import { graph, pick, ROOT, Sender, strip, tap } from './sending.js';

const PK = [ROOT, 'Sales'];
const PRODUCTS = { 'Plush whale': 24.9, 'Hail umbrella': 39, 'Storm lamp': 89, 'Whale mug': 12.5 };
const COUNTRIES = ['US', 'US', 'US', 'US', 'DE', 'DE', 'BR', 'JP', 'NZ'];
const DEVICES = [['phone', 'iOS'], ['phone', 'Android'], ['desktop', 'Mac OS X'], ['desktop', 'Windows']];
const A_SECOND = 6;

export default {
  name: 'many',
  title: 'Count many things',
  told: 'One hit for each sale, with a product, a country, a device and dollars. Nothing was declared first; each way to look at it is there at once.',
  start(place) {
    const sender = new Sender(PK);
    const sell = (product) => {
      const [kind, system] = pick(DEVICES);
      return sender.hit({
        pk: [...PK, product],
        dimensions: { country: pick(COUNTRIES), device: { [kind]: system } },
        metrics: { dollars: PRODUCTS[product] },
      });
    };
    const rain = tap('Let it hail', A_SECOND, () => sell(pick(Object.keys(PRODUCTS))));
    const shelf = Object.entries(PRODUCTS).map(([product, price]) => el('button', { type: 'button', onclick: () => sell(product) }, `${product} · $${price}`));
    const places = ['country', 'device'].map(() => el('div', {}));
    const total = el('div', {});
    place.append(el('div', { class: 'doing' }, rain.button, el('span', { class: 'muted' }, 'or sell'), ...shelf), strip(sender), total, el('div', { class: 'pair' }, ...places));
    const money = { formats: { dollars: { style: 'currency', currency: 'USD' } } };
    const shown = [
      graph(total, { pk: PK, metrics: 'dollars,hits,dollars/hits', view: 'number', title: 'All sales', ...money }),
      graph(places[0], { pk: PK, metrics: 'dollars', dimensions: 'country', depth: 1, threshold: 0, view: 'stacked', title: 'Dollars by country', ...money }),
      graph(places[1], { pk: PK, metrics: 'hits', dimensions: 'device', depth: 2, threshold: 0, view: 'line', title: 'Sales by device' }),
    ];
    return () => {
      rain.stop();
      sender.stop();
      shown.forEach((one) => one.destroy());
    };
  },
};
