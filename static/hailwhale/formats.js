/* Numbers, times and names as a reader writes them: in a locale, in the time zone that was asked.
 * Pure: what comes out is text, to be set as text.
 */
(function (hw) {
  'use strict';

  const _made = new Map();

  function made(kind, locale, options) {
    const key = `${kind} ${locale} ${JSON.stringify(options)}`;
    if (!_made.has(key)) _made.set(key, new Intl[kind](locale || undefined, options));
    return _made.get(key);
  }

  /** What writes numbers of so many decimals: asked for a thousand times a draw. */
  function plain(locale, places) {
    const key = `${locale} ${places}`;
    if (!_made.has(key)) _made.set(key, new Intl.NumberFormat(locale || undefined, { maximumFractionDigits: places }));
    return _made.get(key);
  }

  /** A number in full: at most four decimals, two where it is large. */
  function number(value, locale, style) {
    if (value === null || value === undefined || Number.isNaN(value)) return '–';
    if (style) return made('NumberFormat', locale, style).format(value);
    const size = Math.abs(value);
    const places = Number.isInteger(value) || size >= 1e6 ? 0 : size >= 10 ? 2 : size >= 0.01 ? 4 : 8;
    return plain(locale, places).format(value);
  }

  /** A number for an axis: short. */
  function short(value, locale, style) {
    const size = Math.abs(value);
    const compact = size >= 10000 ? { notation: 'compact', maximumFractionDigits: 1 } : { maximumFractionDigits: size < 1 ? 4 : 2 };
    const kept = style ? Object.assign({}, style, { minimumFractionDigits: 0 }) : {};
    return made('NumberFormat', locale, Object.assign({}, kept, compact)).format(value);
  }

  /** A change as a signed percentage. */
  function percent(share, locale, signed) {
    if (share === null) return '–';
    const most = Math.abs(share) < 0.1 ? 1 : 0;
    const options = { style: 'percent', maximumFractionDigits: most };
    return made('NumberFormat', locale, signed ? Object.assign(options, { signDisplay: 'exceptZero' }) : options).format(share);
  }

  const TICKS = {
    second: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
    minute: { hour: '2-digit', minute: '2-digit' },
    hour: { hour: '2-digit', minute: '2-digit' },
    day: { day: 'numeric', month: 'short' },
    month: { month: 'short' },
    year: { year: 'numeric' },
  };

  /** The text of a tick: the time; at midnight the day; in January the year. */
  function tick({ at_ms, unit, time }, locale, tz) {
    let shown = unit;
    const small = ['second', 'minute', 'hour'].includes(unit);
    if (small && time.hour === 0 && time.minute === 0 && time.second === 0) shown = 'day';
    if (unit === 'month' && time.month === 1) shown = 'year';
    return made('DateTimeFormat', locale, Object.assign({ timeZone: tz }, TICKS[shown])).format(at_ms);
  }

  const DAY = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' };

  /** A bucket in words: a day by its date, a month by its name, what is shorter from when to when. */
  function bucket(start_ms, end_ms, interval, locale, tz) {
    const unit = (/[a-z]+$/.exec(interval) || [''])[0];
    const size = parseInt(interval, 10) || 1;
    const text = (options) => made('DateTimeFormat', locale, Object.assign({ timeZone: tz }, options));
    if (unit === 'y' && size === 1) return text({ year: 'numeric' }).format(start_ms);
    if (unit === 'mo' && size === 1) return text({ month: 'long', year: 'numeric' }).format(start_ms);
    if (unit === 'd' && size === 1) return text(DAY).format(start_ms);
    if (['d', 'w', 'mo', 'y'].includes(unit)) {
      return text({ day: 'numeric', month: 'short', year: 'numeric' }).formatRange(start_ms, end_ms - 1);
    }
    const times = { hour: '2-digit', minute: '2-digit' };
    if (unit === 's' || end_ms - start_ms < 60000) times.second = '2-digit';
    const day = { weekday: 'short', day: 'numeric', month: 'short' };
    const from = text(Object.assign({}, day, times)).format(start_ms);
    return `${from} – ${text(times).format(end_ms)}`;
  }

  /** The text of bucket `at` of a model. */
  function place(model, at, locale) {
    if (model.names) return model.names[at];
    return bucket(model.starts[at], hw.model.endOf(model, at), model.interval, locale, model.tz);
  }

  /** A moment of today. */
  function clock(at_ms, locale) {
    return made('DateTimeFormat', locale, { timeStyle: 'medium' }).format(at_ms);
  }

  /** The shortest names that tell the series of a model apart: Map of key to text. */
  function names(series, labels) {
    const metrics = new Set(series.map((one) => one.metric));
    const paths = new Set(series.map((one) => JSON.stringify(one.path)));
    const lasts = new Map();
    for (const text of paths) {
      const last = lastOf(JSON.parse(text));
      lasts.set(last, (lasts.get(last) || 0) + 1);
    }
    const said = (text) => (labels && typeof labels === 'object' && Object.hasOwn(labels, text) ? String(labels[text]) : text);
    return new Map(series.map((one) => {
      if (typeof labels === 'function') return [one.key, String(labels(one))];
      const last = lastOf(one.path);
      const full = lasts.get(last) > 1 ? one.path.map((label) => (label === '_other' ? 'Other' : label)).join(' › ') : said(last);
      const parts = [];
      if (paths.size > 1 || one.path.length) parts.push(full);
      if (metrics.size > 1 || (paths.size === 1 && one.metric)) parts.push(said(one.metric));
      if (paths.size === 1 && metrics.size > 1) parts.splice(0, parts.length - 1);
      return [one.key, parts.filter(Boolean).join(' · ')];
    }));
  }

  function lastOf(path) {
    if (!path.length) return 'Overall';
    const last = path[path.length - 1];
    return last === '_other' ? 'Other' : last;
  }

  const SPOKEN = { hour: 'Last hour', day: 'Last 24 hours', today: 'Today', yesterday: 'Yesterday',
    seven: 'Last 7 days', thirty: 'Last 30 days', wtd: 'This week', mtd: 'This month',
    ytd: 'This year', year: 'Last year', all: 'Ever' };
  const UNITS = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', mo: 'month', y: 'year' };

  /** A period in words: `1d:1mo` is "1 month by day". */
  function period(text) {
    if (Object.hasOwn(SPOKEN, text)) return SPOKEN[text];
    const found = /^(\d*)(s|m|h|d|w|mo|y):(\d*)(s|m|h|d|w|mo|y)$/.exec(text);
    if (!found) return text.replace('..', ' – ');
    const many = (count, unit) => (Number(count || 1) === 1 ? UNITS[unit] : `${count} ${UNITS[unit]}s`);
    return `Last ${many(found[3], found[4])} by ${many(found[1], found[2])}`;
  }

  hw.formats = { number, short, percent, tick, bucket, place, clock, names, period };
})(globalThis.HailWhale = globalThis.HailWhale || {});
