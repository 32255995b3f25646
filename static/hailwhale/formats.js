/* Numbers, times and names as the reader's locale writes them, in the time zone that was asked for.
 *
 * Pure: the results are texts, to be set as text.
 */

import { cached } from './cache.js';
import { endOf } from './model.js';

/** @typedef {Intl.NumberFormatOptions | null | undefined} Style */

/** @type {Map<string, Intl.NumberFormat>} */
const _numbers = new Map();
/** @type {Map<string, Intl.NumberFormat>} */
const _plain = new Map();
/** @type {Map<string, Intl.DateTimeFormat>} */
const _dates = new Map();

/**
 * @param {string} locale
 * @param {Intl.NumberFormatOptions} options
 */
function numbers(locale, options) {
  const make = () => new Intl.NumberFormat(locale || undefined, options);
  return cached(_numbers, `${locale} ${JSON.stringify(options)}`, make);
}

/**
 * @param {string} locale
 * @param {Intl.DateTimeFormatOptions} options
 */
function dates(locale, options) {
  const make = () => new Intl.DateTimeFormat(locale || undefined, options);
  return cached(_dates, `${locale} ${JSON.stringify(options)}`, make);
}

/**
 * Return the format of numbers with at most `places` decimals; it is used a thousand times a draw.
 * @param {string} locale
 * @param {number} places
 */
function plain(locale, places) {
  const make = () => numbers(locale, { maximumFractionDigits: places });
  return cached(_plain, `${locale} ${places}`, make);
}

/**
 * Write a number in full: at most four decimals, two where it is large.
 * @param {number | null | undefined} value
 * @param {string} locale
 * @param {Style} [style]
 */
export function number(value, locale, style) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (style) return numbers(locale, style).format(value);
  const size = Math.abs(value);
  const places = Number.isInteger(value) || size >= 1e6 ? 0 : size >= 10 ? 2 : size >= 0.01 ? 4 : 8;
  return plain(locale, places).format(value);
}

/**
 * Write a number for an axis, in few characters.
 * @param {number} value
 * @param {string} locale
 * @param {Style} [style]
 */
export function short(value, locale, style) {
  const size = Math.abs(value);
  /** @type {Intl.NumberFormatOptions} */
  const compact =
    size >= 10000
      ? { notation: 'compact', maximumFractionDigits: 1 }
      : { maximumFractionDigits: size < 1 ? 4 : 2 };
  const kept = style ? { ...style, minimumFractionDigits: 0 } : {};
  return numbers(locale, { ...kept, ...compact }).format(value);
}

/**
 * Write a share as a percentage, with its sign if `signed`.
 * @param {number | null} share
 * @param {string} locale
 * @param {boolean} [signed]
 */
export function percent(share, locale, signed) {
  if (share === null) return '–';
  /** @type {Intl.NumberFormatOptions} */
  const options = { style: 'percent', maximumFractionDigits: Math.abs(share) < 0.1 ? 1 : 0 };
  if (signed) options.signDisplay = 'exceptZero';
  return numbers(locale, options).format(share);
}

/** @type {Record<import('./scales.js').Unit, Intl.DateTimeFormatOptions>} */
const TICKS = {
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minute: { hour: '2-digit', minute: '2-digit' },
  hour: { hour: '2-digit', minute: '2-digit' },
  day: { day: 'numeric', month: 'short' },
  month: { month: 'short' },
  year: { year: 'numeric' },
};

/**
 * Write a tick: the time; at midnight the day; in January the year.
 * @param {import('./scales.js').Tick} tick
 * @param {string} locale
 * @param {string} tz
 */
export function tick({ at_ms, unit, time }, locale, tz) {
  let shown = unit;
  const small = ['second', 'minute', 'hour'].includes(unit);
  if (small && time.hour === 0 && time.minute === 0 && time.second === 0) shown = 'day';
  if (unit === 'month' && time.month === 1) shown = 'year';
  return dates(locale, { timeZone: tz, ...TICKS[shown] }).format(at_ms);
}

/**
 * Write a bucket: a day by its date, a month by its name, a shorter one with both its ends.
 * @param {number} start_ms
 * @param {number} end_ms
 * @param {string} interval
 * @param {string} locale
 * @param {string} tz
 */
export function bucket(start_ms, end_ms, interval, locale, tz) {
  const unit = (/[a-z]+$/.exec(interval) || [''])[0];
  const size = parseInt(interval, 10) || 1;
  /** @param {Intl.DateTimeFormatOptions} options */
  const text = (options) => dates(locale, { timeZone: tz, ...options });
  if (unit === 'y' && size === 1) return text({ year: 'numeric' }).format(start_ms);
  if (unit === 'mo' && size === 1) {
    return text({ month: 'long', year: 'numeric' }).format(start_ms);
  }
  /** @type {Intl.DateTimeFormatOptions} */
  const date = { day: 'numeric', month: 'short', year: 'numeric' };
  if (unit === 'd' && size === 1) return text({ weekday: 'short', ...date }).format(start_ms);
  if (['d', 'w', 'mo', 'y'].includes(unit)) return text(date).formatRange(start_ms, end_ms - 1);
  /** @type {Intl.DateTimeFormatOptions} */
  const times = { hour: '2-digit', minute: '2-digit' };
  if (unit === 's' || end_ms - start_ms < 60000) times.second = '2-digit';
  const from = text({ weekday: 'short', day: 'numeric', month: 'short', ...times });
  return `${from.format(start_ms)} – ${text(times).format(end_ms)}`;
}

/**
 * Write bucket `at` of a model.
 * @param {HailWhale.Model} model
 * @param {number} at
 * @param {string} locale
 */
export function place(model, at, locale) {
  if (model.names) return model.names[at];
  return bucket(model.starts[at], endOf(model, at), model.interval, locale, model.tz);
}

/**
 * Write the time of day.
 * @param {number} at_ms
 * @param {string} locale
 */
export function clock(at_ms, locale) {
  return dates(locale, { timeStyle: 'medium' }).format(at_ms);
}

/**
 * Return by key the shortest names that distinguish the series of a model.
 * @param {HailWhale.Series[]} series
 * @param {HailWhale.Labels | null} labels
 */
export function names(series, labels) {
  const metrics = new Set(series.map((one) => one.metric));
  const paths = new Map(series.map((one) => [JSON.stringify(one.path), one.path]));
  /** @type {Map<string, number>} */
  const lasts = new Map();
  for (const path of paths.values()) {
    const last = lastOf(path);
    lasts.set(last, (lasts.get(last) || 0) + 1);
  }
  /** @param {HailWhale.Series} one */
  const name = (one) => {
    const last = lastOf(one.path);
    const many = Number(lasts.get(last)) > 1;
    const full = many ? one.path.map(shown).join(' › ') : labelled(last, labels);
    const parts = [];
    if (paths.size > 1 || one.path.length) parts.push(full);
    if (metrics.size > 1 || (paths.size === 1 && one.metric)) {
      parts.push(labelled(one.metric, labels));
    }
    if (paths.size === 1 && metrics.size > 1) parts.splice(0, parts.length - 1);
    return parts.filter(Boolean).join(' · ');
  };
  return new Map(
    series.map((one) => [one.key, typeof labels === 'function' ? String(labels(one)) : name(one)]),
  );
}

/**
 * Return what the labels say for a label or metric, itself by default.
 * @param {string} text
 * @param {HailWhale.Labels | null} labels
 */
export function labelled(text, labels) {
  const known = labels && typeof labels === 'object' && Object.hasOwn(labels, text);
  return known ? String(labels[text]) : text;
}

/** @param {string} label */
function shown(label) {
  return label === '_other' ? 'Other' : label;
}

/** @param {string[]} path */
function lastOf(path) {
  return path.length ? shown(path[path.length - 1]) : 'Overall';
}

/** @type {Readonly<Record<string, string>>} */
const SPOKEN = {
  hour: 'Last hour',
  day: 'Last 24 hours',
  today: 'Today',
  yesterday: 'Yesterday',
  seven: 'Last 7 days',
  thirty: 'Last 30 days',
  wtd: 'This week',
  mtd: 'This month',
  ytd: 'This year',
  year: 'Last year',
  all: 'Ever',
};
/** @type {Readonly<Record<string, string>>} */
const UNITS = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/**
 * Write a period in words: `1d:1mo` is "Last month by day".
 * @param {string} text
 */
export function period(text) {
  if (Object.hasOwn(SPOKEN, text)) return SPOKEN[text];
  const found = /^(\d*)(s|m|h|d|w|mo|y):(\d*)(s|m|h|d|w|mo|y)$/.exec(text);
  if (!found) return text.replace('..', ' – ');
  /** @type {(count: string, unit: string) => string} */
  const many = (count, unit) =>
    Number(count || 1) === 1 ? UNITS[unit] : `${count} ${UNITS[unit]}s`;
  return `Last ${many(found[3], found[4])} by ${many(found[1], found[2])}`;
}
