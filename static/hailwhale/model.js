/* Answers into one model, which every view draws and no view changes.
 *
 * A model is {tz, interval, starts, end, names, series}: the starts of its buckets in epoch
 * milliseconds, the end of the last, and the series in the order of the answer. A series is
 * {key, path, metric, additive, total, values, parent, other, ghost}. `names` are the texts of the
 * buckets where they are no times. Pure: no page, no clock, no network.
 */
(function (hw) {
  'use strict';

  const OTHER = '_other';

  /** The model of an answer: that of /graph.json, or the plain one of /plotpoints; a model is one. */
  function fromAnswer(answer) {
    if (!answer || typeof answer !== 'object') throw new TypeError('an answer is an object');
    if (answer.starts) return answer;
    return linked(Array.isArray(answer.series) ? fromGraph(answer) : fromPoints(answer));
  }

  function fromGraph(answer) {
    return {
      tz: answer.tz || 'UTC',
      interval: answer.interval || '',
      names: answer.interval || !answer.starts_ms || answer.starts_ms.length > 1 ? null : ['all'],
      starts: answer.starts_ms,
      end: answer.end_ms,
      series: answer.series.map((one) => ({
        path: one.dimension, metric: one.metric, additive: one.additive, total: one.total,
        values: one.values,
      })),
    };
  }

  /** What /plotpoints answers has no totals, no ends and no time zone: they are made out. */
  function fromPoints(answer) {
    const series = [];
    let starts = [];
    for (const [dimension, metrics] of Object.entries(answer)) {
      for (const [metric, points] of Object.entries(metrics)) {
        if (points.length > starts.length) starts = points.map((point) => point[0]);
        const values = points.map((point) => Number(point[1]));
        const additive = !/[/:]/.test(metric);
        series.push({ path: pathOf(dimension), metric, additive, values, total: additive ? sum(values) : null });
      }
    }
    const width = starts.length > 1 ? starts[starts.length - 1] - starts[starts.length - 2] : 0;
    const end = starts.length ? starts[starts.length - 1] + width : 0;
    return { tz: 'UTC', interval: intervalOf(width), names: null, starts, end, series };
  }

  /** The path of a dimension as it is written in answers: `_`, `country`, `["country", "US"]`. */
  function pathOf(written) {
    if (written === '_') return [];
    if (written[0] !== '[') return [written];
    try {
      const path = JSON.parse(written);
      return Array.isArray(path) ? path.map(String) : [written];
    } catch (fault) {
      return [written];
    }
  }

  function intervalOf(width_ms) {
    for (const [unit, ms] of [['y', 31449600000], ['mo', 2332800000], ['w', 604800000],
      ['d', 79200000], ['h', 3600000], ['m', 60000], ['s', 1000]]) {
      if (width_ms >= ms) return `${Math.max(1, Math.round(width_ms / ms))}${unit}`;
    }
    return '';
  }

  /** A model of named columns: what an HTML table holds. `times` are epoch ms, where it has them. */
  function fromColumns(names, columns, times) {
    const starts = times || names.map((_, place) => place);
    const last = starts.length - 1;
    const width = last > 0 ? starts[last] - starts[last - 1] : 1;
    return linked({
      tz: 'UTC', interval: times ? intervalOf(width) : '', names: times ? null : names, starts,
      end: (starts[last] || 0) + width,
      series: columns.map(({ name, values }) => ({
        path: [name], metric: '', additive: true, values, total: sum(values),
      })),
    });
  }

  /** Each series with its key, and the key of the series whose child it is. */
  function linked(model) {
    const keys = new Set(model.series.map((one) => keyOf(one.path, one.metric)));
    const series = model.series.map((one) => {
      const above = keyOf(one.path.slice(0, -1), one.metric);
      return Object.assign({}, one, {
        key: keyOf(one.path, one.metric),
        parent: one.path.length && keys.has(above) ? above : null,
        other: one.path[one.path.length - 1] === OTHER,
        ghost: null,
      });
    });
    return Object.assign({}, model, { series });
  }

  function keyOf(path, metric) {
    return JSON.stringify([path, metric]);
  }

  /** A model whose series have beside them what they were in another one, bucket by bucket. */
  function compared(model, before) {
    const old = new Map(before.series.map((one) => [one.key, one]));
    const series = model.series.map((one) => {
      const match = old.get(one.key);
      const ghost = match && { total: match.total, values: one.values.map((_, at) => at < match.values.length ? match.values[at] : null) };
      return Object.assign({}, one, { ghost: ghost || null });
    });
    return Object.assign({}, model, { series, before: { starts: before.starts, end: before.end } });
  }

  /** Change since, as a share of what was: null where nothing was. */
  function change(now, before) {
    return before ? (now - before) / Math.abs(before) : null;
  }

  function isEmpty(model) {
    return !model.starts.length || model.series.every((one) => one.values.every((value) => !value));
  }

  /** The end of bucket `at`. */
  function endOf(model, at) {
    return at + 1 < model.starts.length ? model.starts[at + 1] : model.end;
  }

  function sum(values) {
    // Kahan's: a million times 0.1 is 100000 here as it is on the server.
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

  hw.model = { fromAnswer, fromColumns, compared, change, isEmpty, endOf, pathOf, keyOf, sum };
})(globalThis.HailWhale = globalThis.HailWhale || {});
