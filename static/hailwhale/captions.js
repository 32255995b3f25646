/* The texts of a graph: title, sums, and the format of its numbers. Pure. */

import { labelled, number, period } from './formats.js';
import { list } from './options.js';

/** @typedef {import('./options.js').Settled} Settled */
/** @typedef {HailWhale.Model | null} Shown */

/** @type {Readonly<Record<HailWhale.View, string>>} */
const KINDS = {
  line: 'Line',
  area: 'Area',
  stacked: 'Stacked area',
  bar: 'Bar',
  table: '',
  number: '',
};

/**
 * Return the label of a series; a column of an HTML table has no metric.
 * @param {HailWhale.Series} one
 */
const summed = (one) => one.metric || one.path.join(' › ');

/**
 * @param {Settled} options
 * @param {Shown} model
 */
export function titleOf(options, model) {
  const { title, metrics, pk, labels } = options;
  if (title) return title;
  const names = model ? [...new Set(model.series.map(summed))] : list(metrics);
  const what = names.map((name) => labelled(name, labels)).join(', ') || 'hits';
  const path = Array.isArray(pk)
    ? pk
    : String(pk || '')
        .replace(/^\[|\]$|["']/g, '')
        .split(',');
  const of = path.join(' › ');
  return of && of !== '_' ? `${of}: ${what}` : what;
}

/**
 * Return the total of each metric, of the outermost series.
 * @param {Settled} options
 * @param {Shown} model
 */
export function sumsOf(options, model) {
  if (!model) return '';
  const { series } = model;
  const outer = series.filter((one) => one.path.length === series[0].path.length);
  return outer
    .filter((one, at) => outer.findIndex((other) => summed(other) === summed(one)) === at)
    .map((one) => {
      const total = written(options, one.total, one.metric);
      return `${total} ${labelled(summed(one), options.labels)}`;
    })
    .join('   ');
}

/**
 * Return the description of the chart for a screen reader.
 * @param {Settled} options
 * @param {Shown} model
 */
export function describe(options, model) {
  const count = model ? `, ${model.series.length} series` : '';
  const title = titleOf(options, model);
  const span = period(options.period);
  return `${KINDS[options.view]} chart of ${title}, ${span}${count}. Arrow keys read it point by point.`;
}

/**
 * Return how numbers of a metric are formatted, if the options say so.
 * @param {Settled} options
 * @param {string | undefined} metric
 */
export function styleOf({ formats }, metric) {
  return formats && metric !== undefined && Object.hasOwn(formats, metric) ? formats[metric] : null;
}

/**
 * @param {Settled} options
 * @param {number | null} value
 * @param {string} metric
 */
export function written(options, value, metric) {
  return number(value, options.locale, styleOf(options, metric));
}
