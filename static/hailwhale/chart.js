/* The chart of a scene, in terms of uPlot: series, bands, bars, axes, cursor.
 *
 * A chart outlives scenes that differ in numbers alone, so its callbacks look up the current one.
 */

import uPlot from 'uplot';
import { axes } from './axes.js';
import { endOf } from './model.js';

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {import('./stacking.js').Layer} Layer */

/**
 * Where the value axes have ticks, and where the scales end.
 * @typedef {{ranges: import('./plot.js').Ranges, marks: Record<'y' | 'y2', number[]>}} Scales
 */

/** @type {Record<'smooth' | 'straight', uPlot.Series.PathBuilder> | undefined} */
let paths;

/**
 * @param {() => Scene} now returns the current scene
 * @param {Scales} scales
 * @param {string} family of the font
 * @param {object} on
 * @param {(chart: uPlot) => void} on.hovered
 * @param {(at: number) => void} on.picked
 * @returns {uPlot.Options}
 */
export function chartOptions(now, scales, family, { hovered, picked }) {
  const scene = now();
  /** @type {(scale: import('./plot.js').Scale) => () => [number, number]} */
  const range = (scale) => () => scales.ranges[scale];
  const right = scene.axis2.size ? 4 : scene.view === 'bar' ? 16 : 28;
  return {
    width: Math.max(40, scene.width),
    height: scene.height,
    padding: scene.bare ? [4, 2, 4, 2] : [12, right, 0, 4],
    legend: { show: false },
    focus: { alpha: 0.25 },
    cursor: {
      show: !scene.bare,
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: {
        size: (_, column) => (colorAt(now(), column) ? 9 : 0),
        width: 1.5,
        fill: (_, column) => colorAt(now(), column),
        stroke: () => now().color('--hw-paper'),
      },
    },
    scales: {
      x: { time: false, range: range('x') },
      y: { range: range('y') },
      y2: { range: range('y2') },
    },
    ...seriesOf(now),
    axes: axes(now, scales, family),
    hooks: {
      setCursor: [hovered],
      ready: [
        (u) =>
          u.over.addEventListener('click', () => {
            if (u.cursor.idx !== null && u.cursor.idx !== undefined) picked(u.cursor.idx);
          }),
      ],
    },
  };
}

/**
 * Return the series of uPlot: one for each end of a layer, and one for each beginning.
 * @param {() => Scene} now
 */
function seriesOf(now) {
  /** @type {uPlot.Series[]} */
  const series = [{}];
  /** @type {uPlot.Band[]} */
  const bands = [];
  for (const one of now().layers) {
    series.push(seriesOfLayer(now, one));
    if (!one.lo) continue;
    const last = series.length;
    if (one.kind === 'band') {
      bands.push({ series: [last - 1, last], fill: () => faded(now(), one.key, 0.55) });
    }
    series.push({
      scale: scaleOf(now(), one),
      width: 0,
      points: { show: false },
      paths: one.kind === 'bar' ? () => null : pathOf(now()),
    });
  }
  return { series, bands };
}

/**
 * @param {() => Scene} now
 * @param {Layer} one
 * @returns {uPlot.Series}
 */
function seriesOfLayer(now, one) {
  const scene = now();
  const stroke = () => now().color(one.key);
  /** @type {uPlot.Series} */
  const drawn = {
    scale: scaleOf(scene, one),
    stroke,
    width: one.kind === 'line' ? 2 : 1.5,
    points: { show: scene.model.starts.length === 1, size: 8, fill: stroke },
    paths: pathOf(scene),
  };
  const dash = scene.dashes.get(one.key);
  if (one.ghost) {
    const { key } = one;
    Object.assign(drawn, {
      dash: [2, 4],
      width: 1.5,
      stroke: () => faded(now(), key.slice(1), 0.75),
    });
  } else if (dash) drawn.dash = dash;
  if (one.kind === 'area') drawn.fill = (u) => gradient(u, now(), one.key);
  if (one.kind === 'bar') {
    Object.assign(drawn, {
      width: 0,
      points: { show: false },
      fill: () => faded(now(), one.key, 0.85),
      paths: /** @type {uPlot.Series.PathBuilder} */ (
        (u, _, from, to) => bars(u, now(), one, from, to)
      ),
    });
  }
  return drawn;
}

/** @param {Scene} scene */
function pathOf(scene) {
  const { spline, linear } = uPlot.paths;
  if (!spline || !linear) throw new Error('this uPlot has neither splines nor lines');
  paths ||= { smooth: spline(), straight: linear() };
  return scene.smooth && scene.model.starts.length <= 120 ? paths.smooth : paths.straight;
}

/**
 * @param {Scene} scene
 * @param {Layer} one
 */
function scaleOf(scene, one) {
  return scene.axis2.has(one.metric) ? 'y2' : 'y';
}

/**
 * Draw bars as wide as their bucket, less a gap, each slot in its part of it.
 * @param {uPlot} u
 * @param {Scene} scene
 * @param {Layer} drawn
 * @param {number} from
 * @param {number} to
 * @returns {uPlot.Series.Paths | null}
 */
function bars(u, scene, drawn, from, to) {
  const { model, layers } = scene;
  const one = layers.find(({ key }) => key === drawn.key);
  if (!one) return null;
  const fill = new Path2D();
  const scale = scaleOf(scene, one);
  for (let at = from; at <= to; at += 1) {
    const value = Number(one.hi[at]);
    const [low, high] = one.lo ? [one.lo[at], value] : [Math.min(0, value), Math.max(0, value)];
    const bottom = Math.round(u.valToPos(low, scale, true));
    const top = Math.round(u.valToPos(high, scale, true));
    if (bottom === top) continue;
    const left = u.valToPos(model.starts[at], 'x', true);
    const width = u.valToPos(endOf(model, at), 'x', true) - left;
    const gap = Math.min(width * 0.2, 8 * devicePixelRatio);
    const slot = (width - gap) / one.slots;
    const begin = Math.round(left + gap / 2 + slot * one.slot);
    const end = Math.round(left + gap / 2 + slot * (one.slot + 1)) - (one.slots > 1 ? 1 : 0);
    fill.rect(begin, top, Math.max(1, end - begin), bottom - top);
  }
  return { fill, stroke: null, clip: null, band: null, flags: 0 };
}

/**
 * Return the color of a column of uPlot; '' of one where a layer begins.
 * @param {Scene} scene
 * @param {number} column
 */
function colorAt(scene, column) {
  let at = 1;
  for (const one of scene.layers) {
    if (column === at) return scene.color(one.ghost ? one.key.slice(1) : one.key);
    at += one.lo ? 2 : 1;
  }
  return '';
}

/**
 * @param {Scene} scene
 * @param {string} key
 * @param {number} alpha
 */
function faded(scene, key, alpha) {
  return `color-mix(in srgb, ${scene.color(key)} ${alpha * 100}%, transparent)`;
}

/**
 * @param {uPlot} u
 * @param {Scene} scene
 * @param {string} key
 */
function gradient(u, scene, key) {
  const filled = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
  filled.addColorStop(0, faded(scene, key, 0.38));
  filled.addColorStop(1, faded(scene, key, 0.04));
  return filled;
}
