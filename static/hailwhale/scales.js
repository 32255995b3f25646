/* Scales: round numbers on the value axis, calendar days and hours on the time axis. Pure. */
(function (hw) {
  'use strict';

  /** A scale with about `count` round ticks that covers [least, most] and has 0 on it. */
  function nice(least, most, count) {
    let low = Math.min(0, least);
    let high = Math.max(0, most);
    if (low === high) high = 1;
    const rough = (high - low) / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 2.5, 5, 10].find((times) => rough <= power * times * (1 + 1e-9));
    low = Math.floor(low / step + 1e-9);
    high = Math.ceil(high / step - 1e-9);
    const ticks = [];
    for (let at = low; at <= high; at += 1) ticks.push(Number((at * step).toPrecision(12)));
    return { min: ticks[0], max: ticks[ticks.length - 1], step, ticks };
  }

  /** The metrics that go on the second axis: those named, else those of quite another size. */
  function secondAxis(layers, named) {
    const metrics = [...new Set(layers.map((one) => one.metric))];
    const wanted = metrics.filter((metric) => named.includes(metric));
    if (named.length && named[0] !== 'auto') {
      return new Set(wanted.length < metrics.length ? wanted : wanted.slice(1));
    }
    if (metrics.length < 2) return new Set();
    const size = (metric) => {
      const [low, high] = hw.stacking.extent(layers.filter((one) => one.metric === metric));
      return Math.max(-low, high);
    };
    const first = size(metrics[0]);
    return new Set(metrics.slice(1).filter((metric) => {
      const other = size(metric);
      return first > 0 && other > 0 && (other > first * 5 || other < first / 5);
    }));
  }

  const _fields = new Map();
  const _walls = new Map(); // bounded: reading a clock is slow, and graphs of a page share their buckets

  /** The wall clock in a time zone: {year, month, day, hour, minute, second, weekday (1: Monday)}. */
  function wall(at_ms, tz) {
    const key = `${at_ms} ${tz}`;
    if (!_walls.has(key)) {
      if (_walls.size > 20000) _walls.clear();
      _walls.set(key, readWall(at_ms, tz));
    }
    return _walls.get(key);
  }

  function readWall(at_ms, tz) {
    if (!_fields.has(tz)) {
      _fields.set(tz, new Intl.DateTimeFormat('en-US', {
        timeZone: tz, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric',
        hour: 'numeric', minute: 'numeric', second: 'numeric',
      }));
    }
    const found = {};
    for (const { type, value } of _fields.get(tz).formatToParts(at_ms)) found[type] = Number(value);
    const { year, month, day, hour, minute, second } = found;
    const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
    return { year, month, day, hour, minute, second, weekday };
  }

  const always = () => true;
  const every = (name, n) => (time) => time[name] % n === 0;
  const RUNGS = [
    ...[1, 5, 10, 15, 30].map((n) => ['second', 0, every('second', n)]),
    ...[1, 2, 5, 10, 15, 30].map((n) => ['minute', 1, every('minute', n)]),
    ...[1, 2, 3, 6, 12].map((n) => ['hour', 2, every('hour', n)]),
    ['day', 3, always],
    ['day', 3, (time) => time.day % 2 === 1 && time.day < 31],
    ['day', 3, (time) => time.weekday === 1],
    ['day', 3, (time) => time.day === 1 || time.day === 15],
    ['month', 4, always],
    ...[3, 6].map((n) => ['month', 4, (time) => (time.month - 1) % n === 0]),
    ...[1, 2, 5, 10, 25, 50].map((n) => ['year', 5, every('year', n)]),
  ];
  const LEVELS = { s: 0, m: 1, h: 2, d: 3, w: 3, mo: 4, y: 5 };

  /** Whether a bucket begins where the calendar turns at `level` (3: a day), as far as buckets tell. */
  function turns(time, level, finest, weekly) {
    return (level < 1 || finest >= 1 || time.second === 0)
      && (level < 2 || finest >= 2 || time.minute === 0)
      && (level < 3 || finest >= 3 || time.hour === 0)
      && (level < 4 || finest >= 4 || (weekly ? time.day <= 7 : time.day === 1))
      && (level < 5 || finest >= 5 || time.month === 1);
  }

  /** At most `most` buckets to name on the axis, at turns of the calendar: [{at_ms, unit, time}]. */
  function ticks(starts, interval, tz, most) {
    if (!starts.length) return [];
    const unit = (/[a-z]+$/.exec(interval) || ['s'])[0];
    const finest = unit in LEVELS ? LEVELS[unit] : 0;
    const times = starts.map((at_ms) => wall(at_ms, tz));
    for (const [name, level, fits] of RUNGS) {
      if (level < finest || (unit === 'w' && level === 3 && fits !== always)) continue;
      const found = [];
      times.forEach((time, place) => {
        if (turns(time, level, finest, unit === 'w') && fits(time)) found.push({ at_ms: starts[place], unit: name, time });
      });
      if (found.length <= most && found.length >= Math.min(2, starts.length)) return found;
    }
    const step = Math.ceil(starts.length / Math.max(1, most));
    const name = ['second', 'minute', 'hour', 'day', 'month', 'year'][finest];
    return starts.map((at_ms, place) => ({ at_ms, unit: name, time: times[place] }))
      .filter((_, place) => place % step === 0);
  }

  /** Every nth of some places, so that at most `most` are left. */
  function sparse(count, most) {
    const step = Math.ceil(count / Math.max(1, most));
    return Array.from({ length: count }, (_, place) => place).filter((place) => place % step === 0);
  }

  /** The place in rising `values` that is nearest to `value`. */
  function nearest(values, value) {
    let low = 0;
    let high = values.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] <= value) low = middle;
      else high = middle;
    }
    return value - values[low] <= values[high] - value ? low : high;
  }

  hw.scales = { nice, secondAxis, wall, ticks, sparse, nearest };
})(globalThis.HailWhale = globalThis.HailWhale || {});
