/* The scene of a plot: what is drawn where, worked out of a model and the options. */

import { styleOf } from './captions.js';
import { short, tick } from './formats.js';
import { endOf } from './model.js';
import { secondAxis, sparse, ticks } from './scales.js';
import { layers } from './stacking.js';

/** @typedef {{at_ms: number, half_ms: number, text: string}} Label */

/**
 * @typedef {object} Scene
 * @property {HailWhale.Model} model
 * @property {import('./stacking.js').Layer[]} layers
 * @property {Set<string>} axis2 the metrics on the second axis
 * @property {HailWhale.View} view
 * @property {number} width
 * @property {number} height
 * @property {boolean} smooth
 * @property {boolean} bare without axes
 * @property {Label[]} ticks of the time axis
 * @property {Map<string, number[]>} dashes by key
 * @property {(key: string) => string} color of a series or a custom property
 * @property {(value: number, second: boolean) => string} short a number for an axis
 */

/**
 * @param {object} given
 * @param {HailWhale.Model} given.model
 * @param {import('./options.js').Settled} given.options
 * @param {Set<string>} given.hidden
 * @param {HailWhale.View} given.view
 * @param {number} given.width
 * @param {boolean} given.bare
 * @param {Map<string, number[]>} given.dashes
 * @param {(key: string) => string} given.color
 * @returns {Scene}
 */
export function sceneOf({ model, options, hidden, view, width, bare, dashes, color }) {
  const shown = layers(model.series, view, hidden);
  const axis2 = secondAxis(shown, options.axis2);
  if (view === 'line' || view === 'area') shown.unshift(...ghosts(model, hidden));
  return {
    ...{ model, layers: shown, axis2, view, width, bare, dashes, color },
    height: options.height,
    smooth: options.smooth,
    ticks: labels(model, options, width),
    short: (value, second) => {
      const on = shown.find((one) => axis2.has(one.metric) === second);
      return short(value, options.locale, styleOf(options, on && on.metric));
    },
  };
}

/**
 * Return the layers of the period compared with, the last one first.
 * @param {HailWhale.Model} model
 * @param {Set<string>} hidden
 */
function ghosts(model, hidden) {
  /** @type {import('./stacking.js').Layer[]} */
  const found = [];
  for (const { key, metric, ghost } of model.series) {
    if (!ghost || hidden.has(key)) continue;
    const where = { lo: null, hi: ghost.values, slot: 0, slots: 1 };
    found.unshift({ key: `~${key}`, metric, kind: 'line', ...where, ghost: true });
  }
  return found;
}

/**
 * @param {HailWhale.Model} model
 * @param {import('./options.js').Settled} options
 * @param {number} width
 * @returns {Label[]}
 */
function labels(model, { locale }, width) {
  const most = Math.max(2, Math.floor(width / 90));
  const { names, starts, interval, tz, end } = model;
  if (names) {
    return sparse(names.length, most).map((at) => ({
      at_ms: starts[at],
      half_ms: (endOf(model, at) - starts[at]) / 2,
      text: names[at].slice(0, 16),
    }));
  }
  const half_ms = starts.length ? (end - starts[starts.length - 1]) / 2 : 0;
  return ticks(starts, interval, tz, most).map((one) => ({
    at_ms: one.at_ms,
    half_ms,
    text: tick(one, locale, tz),
  }));
}
