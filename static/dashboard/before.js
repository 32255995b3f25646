/* The period before a period, and what was counted in it up to the same place. Pure.
 *
 * A period says how it is compared by its text: `today` with yesterday, days with as many days before
 * them, an hour by minutes with the first half of two hours. Where it cannot be, the answer is null.
 */
const DAY_MS = 86400000;
const calendars = new Map();

/** The period that begins before `period` and has its buckets in the same order; `told` in words. */
export function before(period, graph) {
  if (period === 'today') return { period: 'yesterday', told: 'yesterday' };
  if (period === 'all' || !graph || !graph.starts_ms.length) return null;
  const back = { hour: ['1', 'm', '1', 'h'], day: ['1', 'h', '24', 'h'] }[period]
    || (/^(\d*)([smh]):(\d*)([smhdw])$/.exec(period) || []).slice(1);
  if (back.length) {
    const [width, unit, length, of] = back;
    return { period: `${width || 1}${unit}:${2 * Number(length || 1)}${of}`, told: 'the same time before' };
  }
  const months = /^(\d*)(mo|y)$/.exec(graph.interval);
  const first = dayOf(graph.starts_ms[0], graph.tz);
  const last = dayOf(graph.end_ms - 1, graph.tz);
  if (months) {
    const by = graph.starts_ms.length * Number(months[1] || 1) * (months[2] === 'y' ? 12 : 1);
    return range(graph.interval, monthsBefore(first, by), new Date(first - DAY_MS));
  }
  const days = Math.round((last - first) / DAY_MS) + 1;
  return range(graph.interval, new Date(first - days * DAY_MS), new Date(first - DAY_MS));
}

function range(interval, from, to) {
  const text = (day) => day.toISOString().slice(0, 10);
  return { period: `${interval}:${text(from)}..${text(to)}`, told: 'the period before' };
}

function monthsBefore(day, count) {
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - count, 1));
}

/** The day that an instant is on in a time zone, as midnight UTC. */
export function dayOf(at_ms, tz) {
  if (!calendars.has(tz)) {
    calendars.set(tz, new Intl.DateTimeFormat('en-CA', { timeZone: tz, year: 'numeric', month: '2-digit', day: '2-digit' }));
  }
  const parts = calendars.get(tz).formatToParts(at_ms);
  const part = (type) => Number(parts.find((one) => one.type === type).value);
  return new Date(Date.UTC(part('year'), part('month') - 1, part('day')));
}

/** By series, what it came to before: as far as what is compared has come, null where unknown. */
export function sumsBefore(graph, old) {
  const count = graph.starts_ms.length;
  return new Map(old.series.map((one) => {
    const whole = old.starts_ms.length === count;
    const sum = one.additive ? globalThis.HailWhale.model.sum(one.values.slice(0, count)) : whole ? one.total : null;
    return [keyOf(one), sum];
  }));
}

export const keyOf = (series) => globalThis.HailWhale.model.keyOf(series.dimension, series.metric);

/** Of hours of two days: today's sum and yesterday's up to this hour, this hour in proportion. */
export function todayOf(graph, series, now_ms) {
  const { starts_ms: starts, tz, end_ms } = graph;
  const last = starts.length - 1;
  const today = dayOf(starts[last], tz).getTime();
  const width = end_ms - starts[last];
  let now = 0;
  let then = 0;
  series.values.forEach((value, at) => {
    const day = dayOf(starts[at], tz).getTime();
    if (day === today) now += value;
    else if (day === today - DAY_MS) {
      const gone = Math.min(1, Math.max(0, (now_ms - DAY_MS - starts[at]) / width));
      then += value * gone;
    }
  });
  return { now, then };
}
