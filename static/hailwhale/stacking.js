/* The layers of a chart: lines, areas, bands or bars, and how they are stacked (uPlot does not stack).
 *
 * Values that cannot be summed, such as ratios, are never stacked. Pure.
 */

/**
 * What is drawn of a series.
 * @typedef {object} Layer
 * @property {string} key of the series; with `~` before it, of its ghost
 * @property {string} metric
 * @property {'line' | 'area' | 'band' | 'bar'} kind
 * @property {number[] | null} lo where it begins in each bucket; null: at 0
 * @property {(number | null)[]} hi where it ends in each bucket
 * @property {number} slot its place among bars that stand side by side
 * @property {number} slots how many these are
 * @property {boolean} [ghost] whether it is of the period compared with
 */

/**
 * Return the layers of the series that are shown, in drawing order.
 * @param {HailWhale.Series[]} series
 * @param {string} view
 * @param {Set<string>} hidden
 */
export function layers(series, view, hidden) {
  const shown = series.filter((one) => !hidden.has(one.key));
  if (view === 'stacked') return stacked(series, shown);
  if (view === 'bar') return bars(series, shown);
  const kind = view === 'area' ? 'area' : 'line';
  return shown.map((one) => layer(one, kind, null, one.values));
}

/**
 * Return bands of the leaves of the tree; a series that they sum to is a line above them.
 * @param {HailWhale.Series[]} series
 * @param {HailWhale.Series[]} shown
 */
function stacked(series, shown) {
  const parents = parentsOf(series);
  /** @type {Layer[]} */
  const bands = [];
  const lines = [];
  for (const group of byMetric(shown)) {
    const piled = group.filter((one) => one.additive && !parents.has(one.key));
    pile(piled).forEach(({ lo, hi }, at) => bands.push(layer(piled[at], 'band', lo, hi)));
    for (const one of group) {
      if (!piled.includes(one)) lines.push(layer(one, 'line', null, one.values));
    }
  }
  return bands.concat(lines);
}

/**
 * Return bars: parts of a whole on top of each other, other series side by side.
 * @param {HailWhale.Series[]} series
 * @param {HailWhale.Series[]} shown
 */
function bars(series, shown) {
  const parents = parentsOf(series);
  /** @type {Layer[]} */
  const found = [];
  let slot = 0;
  for (const group of byMetric(shown)) {
    const leaves = group.filter((one) => !parents.has(one.key));
    const piled = leaves.filter((one) => one.additive);
    pile(piled).forEach(({ lo, hi }, at) => found.push(layer(piled[at], 'bar', lo, hi, slot)));
    if (piled.length) slot += 1;
    for (const one of leaves) {
      if (!one.additive) {
        found.push(layer(one, 'bar', null, one.values, slot));
        slot += 1;
      }
    }
  }
  return found.map((one) => ({ ...one, slots: slot }));
}

/**
 * Return where each series begins and ends: values above 0 pile up, values below pile down. A value
 * that is null is a gap.
 * @param {Pick<HailWhale.Series, 'values'>[]} series
 */
export function pile(series) {
  const length = series.length ? series[0].values.length : 0;
  /** @type {number[]} */
  const above = new Array(length).fill(0);
  /** @type {number[]} */
  const below = new Array(length).fill(0);
  return series.map(({ values }) => {
    /** @type {number[]} */
    const lo = [];
    /** @type {(number | null)[]} */
    const hi = [];
    values.forEach((value, at) => {
      const heap = /** @type {number} */ (value) < 0 ? below : above;
      const from = heap[at];
      heap[at] = from + /** @type {number} */ (value);
      lo.push(Math.min(from, heap[at]));
      hi.push(value === null ? null : Math.max(from, heap[at]));
    });
    return { lo, hi };
  });
}

/**
 * @param {HailWhale.Series} one
 * @param {Layer['kind']} kind
 * @param {number[] | null} lo
 * @param {(number | null)[]} hi
 * @returns {Layer}
 */
function layer(one, kind, lo, hi, slot = 0) {
  return { key: one.key, metric: one.metric, kind, lo, hi, slot, slots: 1 };
}

/**
 * Return the keys of the series that others are parts of, whether those are shown or not.
 * @param {HailWhale.Series[]} series
 */
function parentsOf(series) {
  return new Set(series.map((one) => one.parent).filter(Boolean));
}

/** @param {HailWhale.Series[]} series */
function byMetric(series) {
  /** @type {Map<string, HailWhale.Series[]>} */
  const groups = new Map();
  for (const one of series) groups.set(one.metric, [...(groups.get(one.metric) || []), one]);
  return [...groups.values()];
}

/**
 * Return the least and the greatest value of some layers and 0.
 * @param {Pick<Layer, 'lo' | 'hi'>[]} some
 * @returns {[number, number]}
 */
export function extent(some) {
  let least = 0;
  let most = 0;
  for (const { lo, hi } of some) {
    for (const values of lo ? [lo, hi] : [hi]) {
      for (const value of values) {
        if (value === null) continue;
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
  }
  return [least, most];
}
