/* The previous period, and what was counted in it up to the same point. Pure.
 *
 * The text of a period says what it is compared with: `today` with yesterday, days with as many days
 * before them, an hour by minutes with the first half of two hours. Null if there is nothing.
 */

import { cached } from '../hailwhale/cache.js';
import { keyOf as keyOfPath, sum } from '../hailwhale/model.js';

/** @typedef {import('./answers.js').Graph} Graph */
/** @typedef {{period: string, told: string}} Before */

const DAY_MS = 86400000;
/** @type {Map<string, Intl.DateTimeFormat>} */
const calendars = new Map();

/**
 * Return the period that comes before `period` with its buckets in the same order, and its name.
 * @param {string} period
 * @param {Graph | null} graph the numbers of `period`
 * @returns {Before | null}
 */
export function before(period, graph) {
  if (period === 'today') return { period: 'yesterday', told: 'yesterday' };
  if (period === 'all' || !graph || !graph.starts_ms.length) return null;
  const back = trailing(period);
  if (back) {
    const [width, unit, length, of] = back;
    const text = `${width || 1}${unit}:${2 * Number(length || 1)}${of}`;
    return { period: text, told: 'in the previous hours' };
  }
  const months = /^(\d*)(mo|y)$/.exec(graph.interval);
  const first = dayOf(graph.starts_ms[0], graph.tz);
  const last = dayOf(graph.end_ms - 1, graph.tz);
  const day_before = new Date(first.getTime() - DAY_MS);
  if (months) {
    const by = graph.starts_ms.length * Number(months[1] || 1) * (months[2] === 'y' ? 12 : 1);
    return range(graph.interval, monthsBefore(first, by), day_before);
  }
  const days = Math.round((last.getTime() - first.getTime()) / DAY_MS) + 1;
  return range(graph.interval, new Date(first.getTime() - days * DAY_MS), day_before);
}

/**
 * Return width, unit, length and unit of a trailing period of less than days.
 * @param {string} period
 */
function trailing(period) {
  if (period === 'hour') return ['1', 'm', '1', 'h'];
  if (period === 'day') return ['1', 'h', '24', 'h'];
  const found = /^(\d*)([smh]):(\d*)([smhdw])$/.exec(period);
  return found && found.slice(1);
}

/**
 * @param {string} interval
 * @param {Date} from
 * @param {Date} to
 */
function range(interval, from, to) {
  /** @param {Date} day */
  const text = (day) => day.toISOString().slice(0, 10);
  return { period: `${interval}:${text(from)}..${text(to)}`, told: 'in the previous period' };
}

/**
 * @param {Date} day
 * @param {number} count
 */
function monthsBefore(day, count) {
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - count, 1));
}

/**
 * Return the day of a time in a time zone, as midnight UTC.
 * @param {number} at_ms
 * @param {string} tz
 */
export function dayOf(at_ms, tz) {
  const make = () =>
    new Intl.DateTimeFormat('en-CA', {
      timeZone: tz,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
  const parts = cached(calendars, tz, make).formatToParts(at_ms);
  /** @param {string} type */
  const part = (type) => Number(parts.find((one) => one.type === type)?.value);
  return new Date(Date.UTC(part('year'), part('month') - 1, part('day')));
}

/**
 * Return by series its former sum, up to the point reached now; null where it is not known.
 * @param {Graph} graph
 * @param {Graph} old
 */
export function sumsBefore(graph, old) {
  const count = graph.starts_ms.length;
  const whole = old.starts_ms.length === count;
  return new Map(
    old.series.map((one) => [
      keyOf(one),
      one.additive ? sum(one.values.slice(0, count)) : whole ? one.total : null,
    ]),
  );
}

/** @param {{dimension: string[], metric: string}} series */
export const keyOf = (series) => keyOfPath(series.dimension, series.metric);

/**
 * Return today's sum and yesterday's up to this time, its last hour in proportion.
 * @param {Graph} graph hours of two days
 * @param {{values: (number | null)[]}} series
 * @param {number} now_ms
 */
export function todayOf(graph, series, now_ms) {
  const { starts_ms: starts, tz, end_ms } = graph;
  const last = starts.length - 1;
  const today = dayOf(starts[last], tz).getTime();
  const width = end_ms - starts[last];
  let now = 0;
  let then = 0;
  series.values.forEach((value, at) => {
    const day = dayOf(starts[at], tz).getTime();
    if (day === today) now += value ?? 0;
    else if (day === today - DAY_MS) {
      const gone = Math.min(1, Math.max(0, (now_ms - DAY_MS - starts[at]) / width));
      then += (value ?? 0) * gone;
    }
  });
  return { now, then };
}
