/* Which series are drawn as what, and how they stand upon each other. uPlot does not stack: this does.
 *
 * A layer is {key, kind, lo, hi, slot, slots, metric}: `kind` is line, area, band or bar; `hi` is
 * where it ends in each bucket and `lo` where it begins (null: at nothing). What cannot be added up,
 * such as a ratio, is never put on top of something else. Pure.
 */
(function (hw) {
  'use strict';

  /** The layers of the series that are shown, in drawing order. */
  function layers(series, view, hidden) {
    const shown = series.filter((one) => !hidden.has(one.key));
    if (view === 'stacked') return stacked(series, shown);
    if (view === 'bar') return bars(series, shown);
    const kind = view === 'area' ? 'area' : 'line';
    return shown.map((one) => layer(one, kind, null, one.values));
  }

  /** Bands of what is at the bottom of the tree; what they add up to is a line above them. */
  function stacked(series, shown) {
    const parents = parentsOf(series);
    const bands = [];
    const lines = [];
    for (const group of byMetric(shown)) {
      const piled = group.filter((one) => one.additive && !parents.has(one.key));
      pile(piled).forEach(([lo, hi], place) => bands.push(layer(piled[place], 'band', lo, hi)));
      for (const one of group) {
        if (!piled.includes(one)) lines.push(layer(one, 'line', null, one.values));
      }
    }
    return bands.concat(lines);
  }

  /** Bars: parts of a whole on top of each other, other things side by side. */
  function bars(series, shown) {
    const parents = parentsOf(series);
    const found = [];
    let slot = 0;
    for (const group of byMetric(shown)) {
      const leaves = group.filter((one) => !parents.has(one.key));
      const piled = leaves.filter((one) => one.additive);
      pile(piled).forEach(([lo, hi], place) => found.push(layer(piled[place], 'bar', lo, hi, slot)));
      if (piled.length) slot += 1;
      for (const one of leaves) {
        if (!one.additive) {
          found.push(layer(one, 'bar', null, one.values, slot));
          slot += 1;
        }
      }
    }
    return found.map((one) => Object.assign(one, { slots: slot }));
  }

  /** For each series where it begins and ends: what is above 0 piles up, what is below piles down. */
  function pile(series) {
    const length = series.length ? series[0].values.length : 0;
    const above = new Array(length).fill(0);
    const below = new Array(length).fill(0);
    return series.map(({ values }) => {
      const lo = [];
      const hi = [];
      values.forEach((value, at) => {
        const heap = value < 0 ? below : above;
        const from = heap[at];
        heap[at] = from + value;
        lo.push(Math.min(from, heap[at]));
        hi.push(Math.max(from, heap[at]));
      });
      return [lo, hi];
    });
  }

  function layer(one, kind, lo, hi, slot) {
    return { key: one.key, metric: one.metric, kind, lo, hi, slot: slot || 0, slots: 1 };
  }

  /** The keys of the series that are the whole of others, whether those are shown or not. */
  function parentsOf(series) {
    return new Set(series.map((one) => one.parent).filter(Boolean));
  }

  function byMetric(series) {
    const groups = new Map();
    for (const one of series) groups.set(one.metric, (groups.get(one.metric) || []).concat([one]));
    return [...groups.values()];
  }

  /** [least, most] of some layers; [0, 0] of none. */
  function extent(some) {
    let least = 0;
    let most = 0;
    for (const { lo, hi } of some) {
      for (const values of lo ? [lo, hi] : [hi]) {
        for (const value of values) {
          if (value < least) least = value;
          if (value > most) most = value;
        }
      }
    }
    return [least, most];
  }

  hw.stacking = { layers, pile, extent };
})(globalThis.HailWhale = globalThis.HailWhale || {});
