/* Scales: round numbers on the value axis, calendar days and hours on the time axis. Pure. */

import { cached } from './cache.js';
import { extent } from './stacking.js';

/** @typedef {import('./stacking.js').Layer} Layer */
/** @typedef {'second' | 'minute' | 'hour' | 'day' | 'month' | 'year'} Unit */
/**
 * A wall clock; `weekday` is 1 on Mondays.
 * @typedef {Record<Unit | 'weekday', number>} Wall
 */
/** @typedef {{at_ms: number, unit: Unit, time: Wall}} Tick */

/**
 * Return a scale with about `count` round ticks that covers `least`, `most` and 0.
 * @param {number} least
 * @param {number} most
 * @param {number} count
 */
export function nice(least, most, count) {
  let low = Math.min(0, least);
  let high = Math.max(0, most);
  if (low === high) high = 1;
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const fits = [1, 2, 2.5, 5].find((times) => rough <= power * times * (1 + 1e-9));
  const step = power * (fits || 10);
  low = Math.floor(low / step + 1e-9);
  high = Math.ceil(high / step - 1e-9);
  const ticks = [];
  for (let at = low; at <= high; at += 1) ticks.push(Number((at * step).toPrecision(12)));
  return { min: ticks[0], max: ticks[ticks.length - 1], step, ticks };
}

/**
 * Return the metrics of the second axis: those named, else those of another order of magnitude.
 * @param {Pick<Layer, 'metric' | 'lo' | 'hi'>[]} layers
 * @param {string[]} named
 * @returns {Set<string>}
 */
export function secondAxis(layers, named) {
  const metrics = [...new Set(layers.map((one) => one.metric))];
  const wanted = metrics.filter((metric) => named.includes(metric));
  if (named.length && named[0] !== 'auto') {
    return new Set(wanted.length < metrics.length ? wanted : wanted.slice(1));
  }
  if (metrics.length < 2) return new Set();
  /** @param {string} metric */
  const size = (metric) => {
    const [low, high] = extent(layers.filter((one) => one.metric === metric));
    return Math.max(-low, high);
  };
  const first = size(metrics[0]);
  return new Set(
    metrics.slice(1).filter((metric) => {
      const other = size(metric);
      return first > 0 && other > 0 && (other > first * 5 || other < first / 5);
    }),
  );
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const _fields = new Map();
// Bounded: reading a clock is slow, and the graphs of a page have the same buckets.
/** @type {Map<string, Wall>} */
const _walls = new Map();

/**
 * Return the wall clock in a time zone.
 * @param {number} at_ms
 * @param {string} tz
 */
export function wall(at_ms, tz) {
  if (_walls.size > 20000) _walls.clear();
  return cached(_walls, `${at_ms} ${tz}`, () => readWall(at_ms, tz));
}

/**
 * @param {number} at_ms
 * @param {string} tz
 * @returns {Wall}
 */
function readWall(at_ms, tz) {
  const make = () =>
    new Intl.DateTimeFormat('en-US', {
      timeZone: tz,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  /** @type {Record<string, number>} */
  const found = {};
  for (const { type, value } of cached(_fields, tz, make).formatToParts(at_ms))
    found[type] = Number(value);
  const { year, month, day, hour, minute, second } = found;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
  return { year, month, day, hour, minute, second, weekday };
}

/** @typedef {(time: Wall) => boolean} Fits */
/** @typedef {[unit: Unit, level: number, fits: Fits]} Rung */

/** @type {Fits} */
const always = () => true;
/** @type {(unit: Unit, level: number, counts: number[]) => Rung[]} */
const every = (unit, level, counts) =>
  counts.map((n) => [unit, level, (time) => time[unit] % n === 0]);
/** @type {Rung[]} */
const RUNGS = [
  ...every('second', 0, [1, 5, 10, 15, 30]),
  ...every('minute', 1, [1, 2, 5, 10, 15, 30]),
  ...every('hour', 2, [1, 2, 3, 6, 12]),
  ['day', 3, always],
  ['day', 3, (time) => time.day % 2 === 1 && time.day < 31],
  ['day', 3, (time) => time.weekday === 1],
  ['day', 3, (time) => time.day === 1 || time.day === 15],
  ['month', 4, always],
  ['month', 4, (time) => (time.month - 1) % 3 === 0],
  ['month', 4, (time) => (time.month - 1) % 6 === 0],
  ...every('year', 5, [1, 2, 5, 10, 25, 50]),
];
/** @type {readonly Unit[]} */
const UNITS = ['second', 'minute', 'hour', 'day', 'month', 'year'];
/** @type {Readonly<Record<string, number>>} */
const LEVELS = { s: 0, m: 1, h: 2, d: 3, w: 3, mo: 4, y: 5 };

/**
 * Tell whether a bucket begins where the calendar turns at `level` (3: a day), as far as buckets show.
 * @param {Wall} time
 * @param {number} level
 * @param {number} finest
 * @param {boolean} weekly
 */
function turns(time, level, finest, weekly) {
  return (
    (level < 1 || finest >= 1 || time.second === 0) &&
    (level < 2 || finest >= 2 || time.minute === 0) &&
    (level < 3 || finest >= 3 || time.hour === 0) &&
    (level < 4 || finest >= 4 || (weekly ? time.day <= 7 : time.day === 1)) &&
    (level < 5 || finest >= 5 || time.month === 1)
  );
}

/**
 * Return at most `most` buckets to name on the axis, at turns of the calendar.
 * @param {number[]} starts
 * @param {string} interval
 * @param {string} tz
 * @param {number} most
 * @returns {Tick[]}
 */
export function ticks(starts, interval, tz, most) {
  if (!starts.length) return [];
  const unit = (/[a-z]+$/.exec(interval) || ['s'])[0];
  const finest = unit in LEVELS ? LEVELS[unit] : 0;
  const times = starts.map((at_ms) => wall(at_ms, tz));
  for (const [name, level, fits] of RUNGS) {
    if (level < finest || (unit === 'w' && level === 3 && fits !== always)) continue;
    /** @type {Tick[]} */
    const found = [];
    times.forEach((time, at) => {
      if (turns(time, level, finest, unit === 'w') && fits(time)) {
        found.push({ at_ms: starts[at], unit: name, time });
      }
    });
    if (found.length <= most && found.length >= Math.min(2, starts.length)) return found;
  }
  return sparse(starts.length, most).map((at) => ({
    at_ms: starts[at],
    unit: UNITS[finest],
    time: times[at],
  }));
}

/**
 * Return every nth of `count` indexes, so that at most `most` are left.
 * @param {number} count
 * @param {number} most
 */
export function sparse(count, most) {
  const step = Math.ceil(count / Math.max(1, most));
  return Array.from({ length: count }, (_, at) => at).filter((at) => at % step === 0);
}

/**
 * Return the index in rising `values` of the one nearest to `value`.
 * @param {number[]} values
 * @param {number} value
 */
export function nearest(values, value) {
  let low = 0;
  let high = values.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle;
    else high = middle;
  }
  return value - values[low] <= values[high] - value ? low : high;
}
