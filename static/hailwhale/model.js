/* The model of a graph, made from answers; every view draws it and none changes it.
 *
 * `HailWhale.Model` (in hailwhale.d.ts) says what a model is. Its series are in the order of the
 * answer. Pure: no page, no clock, no network.
 */

/** @typedef {Pick<HailWhale.Series, 'path' | 'metric' | 'additive' | 'total' | 'values'>} BareSeries */
/** @typedef {Omit<HailWhale.Model, 'series'> & {series: BareSeries[]}} BareModel */

const OTHER = '_other';

/**
 * Make a model of an answer of /graph.json or /plotpoints; a model stays as it is.
 * @param {HailWhale.Answer} answer
 * @returns {HailWhale.Model}
 */
export function fromAnswer(answer) {
  if (!answer || typeof answer !== 'object') throw new TypeError('an answer is an object');
  if (isModel(answer)) return answer;
  return linked(isGraph(answer) ? fromGraph(answer) : fromPoints(answer));
}

/**
 * @param {HailWhale.Answer} answer
 * @returns {answer is HailWhale.Model}
 */
function isModel(answer) {
  return 'starts' in answer && Array.isArray(answer.starts); // not a dimension of that name
}

/**
 * @param {HailWhale.GraphAnswer | HailWhale.PointsAnswer} answer
 * @returns {answer is HailWhale.GraphAnswer}
 */
function isGraph(answer) {
  return 'series' in answer && Array.isArray(answer.series);
}

/**
 * @param {HailWhale.GraphAnswer} answer
 * @returns {BareModel}
 */
function fromGraph(answer) {
  return {
    tz: answer.tz || 'UTC',
    interval: answer.interval || '',
    names: answer.interval || !answer.starts_ms || answer.starts_ms.length > 1 ? null : ['all'],
    starts: answer.starts_ms,
    end: answer.end_ms,
    series: answer.series.map(({ dimension, metric, additive, total, values }) => ({
      path: dimension,
      metric,
      additive,
      total,
      values,
    })),
  };
}

/**
 * Work out totals, ends and widths, which an answer of /plotpoints does not have.
 * @param {HailWhale.PointsAnswer} answer
 * @returns {BareModel}
 */
function fromPoints(answer) {
  const series = [];
  /** @type {number[]} */
  let starts = [];
  for (const [dimension, metrics] of Object.entries(answer)) {
    for (const [metric, points] of Object.entries(metrics)) {
      if (points.length > starts.length) starts = points.map((point) => point[0]);
      const values = points.map((point) => Number(point[1]));
      const additive = !/[/:]/.test(metric);
      const total = additive ? sum(values) : null;
      series.push({ path: pathOf(dimension), metric, additive, values, total });
    }
  }
  const width = starts.length > 1 ? starts[starts.length - 1] - starts[starts.length - 2] : 0;
  const end = starts.length ? starts[starts.length - 1] + width : 0;
  return { tz: 'UTC', interval: intervalOf(width), names: null, starts, end, series };
}

/**
 * Parse a dimension as answers write it: `_`, `country`, `["country", "US"]`.
 * @param {string} written
 * @returns {string[]}
 */
export function pathOf(written) {
  if (written === '_') return [];
  if (written[0] !== '[') return [written];
  try {
    const path = JSON.parse(written);
    return Array.isArray(path) ? path.map(String) : [written];
  } catch {
    return [written];
  }
}

/** @type {readonly [string, number][]} */
const WIDTHS_MS = [
  ['y', 31449600000],
  ['mo', 2332800000],
  ['w', 604800000],
  ['d', 79200000],
  ['h', 3600000],
  ['m', 60000],
  ['s', 1000],
];

/** @param {number} width_ms */
function intervalOf(width_ms) {
  for (const [unit, ms] of WIDTHS_MS) {
    if (width_ms >= ms) return `${Math.max(1, Math.round(width_ms / ms))}${unit}`;
  }
  return '';
}

/**
 * Make a model of named columns, as an HTML table has them.
 * @param {string[]} names
 * @param {{name: string, values: number[]}[]} columns
 * @param {number[] | null} times epoch milliseconds, where the rows are times
 */
export function fromColumns(names, columns, times) {
  const starts = times || names.map((_, at) => at);
  const last = starts.length - 1;
  const width = last > 0 ? starts[last] - starts[last - 1] : 1;
  return linked({
    tz: 'UTC',
    interval: times ? intervalOf(width) : '',
    names: times ? null : names,
    starts,
    end: (starts[last] || 0) + width,
    series: columns.map(({ name, values }) => ({
      path: [name],
      metric: '',
      additive: true,
      values,
      total: sum(values),
    })),
  });
}

/**
 * Give each series its key, and the key of the series that it is a part of.
 * @param {BareModel} model
 * @returns {HailWhale.Model}
 */
function linked(model) {
  const keys = new Set(model.series.map((one) => keyOf(one.path, one.metric)));
  const series = model.series.map((one) => {
    const above = keyOf(one.path.slice(0, -1), one.metric);
    return {
      ...one,
      key: keyOf(one.path, one.metric),
      parent: one.path.length && keys.has(above) ? above : null,
      other: one.path[one.path.length - 1] === OTHER,
      ghost: null,
    };
  });
  return { ...model, series };
}

/**
 * @param {string[]} path
 * @param {string} metric
 */
export function keyOf(path, metric) {
  return JSON.stringify([path, metric]);
}

/**
 * Give each series, as its ghost, the same series of another model, bucket by bucket.
 * @param {HailWhale.Model} model
 * @param {HailWhale.Model} before
 * @returns {HailWhale.Model}
 */
export function compared(model, before) {
  const old = new Map(before.series.map((one) => [one.key, one]));
  const series = model.series.map((one) => {
    const match = old.get(one.key);
    const ghost = match && {
      total: match.total,
      values: one.values.map((_, at) => (at < match.values.length ? match.values[at] : null)),
    };
    return { ...one, ghost: ghost || null };
  });
  return { ...model, series, before: { starts: before.starts, end: before.end } };
}

/**
 * Return the change as a share of what was; null where nothing was, or nothing is known now.
 * @param {number | null} now
 * @param {number | null} before
 */
export function change(now, before) {
  return before && now !== null ? (now - before) / Math.abs(before) : null;
}

/** @param {HailWhale.Model} model */
export function isEmpty(model) {
  return !model.starts.length || model.series.every((one) => one.values.every((value) => !value));
}

/**
 * Return the end of bucket `at`.
 * @param {HailWhale.Model} model
 * @param {number} at
 */
export function endOf(model, at) {
  return at + 1 < model.starts.length ? model.starts[at + 1] : model.end;
}

/**
 * Return bucket `at` with the value of each series.
 * @param {HailWhale.Model} model
 * @param {number} at
 * @returns {HailWhale.Bucket}
 */
export function bucketOf(model, at) {
  return {
    at,
    start_ms: model.starts[at],
    end_ms: endOf(model, at),
    values: model.series.map(({ key, path, metric, values }) => ({
      key,
      path,
      metric,
      value: values[at],
    })),
  };
}

/**
 * Sum values by Kahan's algorithm: a million times 0.1 is 100000, as on the server.
 * @param {readonly (number | null)[]} values
 */
export function sum(values) {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const term = (Number(value) || 0) - lost;
    const next = total + term;
    lost = next - total - term;
    total = next;
  }
  return total;
}
