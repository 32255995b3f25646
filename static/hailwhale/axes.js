/* The axes of a chart, in terms of uPlot. */

/** @import uPlot from 'uplot' */

/**
 * @param {() => import('./scene.js').Scene} now returns the current scene
 * @param {import('./chart.js').Scales} scales
 * @param {string} family of the font
 * @returns {uPlot.Axis[]}
 */
export function axes(now, scales, family) {
  const { bare, view, model, axis2 } = now();
  if (bare) return [{ show: false }, { show: false }];
  const font = `12px ${family}`;
  /** @type {uPlot.Axis} */
  const ink = { font, gap: 6, stroke: () => now().color('--hw-quiet'), ticks: { show: false } };
  /** @type {(list: number[], scale: import('./plot.js').Scale) => number[]} */
  const inside = (list, scale) => {
    const [least, most] = scales.ranges[scale];
    return list.filter((value) => value >= least && value <= most);
  };
  const shift = view === 'bar' || model.names;
  const labels = () =>
    new Map(now().ticks.map((tick) => [tick.at_ms + (shift ? tick.half_ms : 0), tick.text]));
  /** @type {uPlot.Axis} */
  const x = {
    ...ink,
    size: 28,
    splits: () => inside([...labels().keys()], 'x'),
    values: (_, splits) => {
      const texts = labels();
      return splits.map((at) => texts.get(at) || '');
    },
    grid: { show: false },
  };
  /** @type {(scale: 'y' | 'y2', side: uPlot.Axis.Side) => uPlot.Axis} */
  const value = (scale, side) => ({
    ...ink,
    scale,
    side,
    splits: () => inside(scales.marks[scale], scale),
    values: (_, splits) => splits.map((at) => now().short(at, scale === 'y2')),
    size: (u, texts) => Math.ceil(widest(u, texts || [], font)) + 14,
    grid: { show: scale === 'y', stroke: () => now().color('--hw-line'), width: 1 },
  });
  return [x, value('y', 3), ...(axis2.size ? [value('y2', 1)] : [])];
}

/**
 * @param {uPlot} u
 * @param {string[]} texts
 * @param {string} font
 */
function widest(u, texts, font) {
  u.ctx.save();
  u.ctx.font = font;
  const width = Math.max(0, ...texts.map((text) => u.ctx.measureText(text).width));
  u.ctx.restore();
  return width;
}
