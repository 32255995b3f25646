/* Random hits, for demonstrations. */

import { merge, query } from './options.js';

/** @typedef {Required<HailWhale.FakeHits>} FakeHits */

/**
 * Send hits from this page as images, as a visitor's browser would, until `stop()`.
 * @param {string} host
 * @param {HailWhale.FakeHits} [options]
 */
export function fakeHits(host, options) {
  /** @type {FakeHits} */
  const told = {
    pk: 'Demo',
    metrics: { dollars: [1, 100] },
    dimensions: {
      country: ['US', 'CA', 'DE', 'BR', 'JP'],
      device: ['phone', 'tablet', 'desktop'],
    },
    every_ms: 250,
    hits: Infinity,
    random: Math.random,
    ...options,
  };
  const begun = { sent: 0, stop: () => clearInterval(timer) };
  const send = () => {
    new Image().src = `${host}/count.gif?${hit(told)}&_=${Date.now()}${begun.sent}`;
    begun.sent += 1;
    if (begun.sent >= told.hits) begun.stop();
  };
  const timer = setInterval(send, told.every_ms);
  return begun;
}

/**
 * Return the query string of a random hit; the first labels of a dimension are the most likely. Pure.
 * @param {Pick<FakeHits, 'pk' | 'metrics' | 'dimensions' | 'random'>} options
 */
export function hit({ pk, metrics, dimensions, random }) {
  /** @param {unknown} some */
  const drawn = (some) =>
    Array.isArray(some) ? some[Math.floor(random() ** 2 * some.length)] : some;
  /** @param {unknown} range */
  const amount = (range) =>
    Array.isArray(range)
      ? Math.round((range[0] + random() * (range[1] - range[0])) * 100) / 100
      : range;
  return query(
    merge({
      pk,
      dimensions: mapped(dimensions, drawn),
      metrics: mapped(metrics, amount),
      period: '',
    }),
  );
}

/**
 * @template From, To
 * @param {Readonly<Record<string, From>>} record
 * @param {(value: From) => To} change
 */
function mapped(record, change) {
  return Object.fromEntries(Object.entries(record).map(([name, one]) => [name, change(one)]));
}
