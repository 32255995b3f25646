/* A scene on a canvas, by uPlot: it slides from one to the next, and has a cursor.
 *
 * Owns the chart and its scales. It does not know what a graph asks or shows next to the plot.
 */

import uPlot from 'uplot';
import { chartOptions } from './chart.js';
import { endOf } from './model.js';
import { nearest, nice } from './scales.js';
import { extent } from './stacking.js';

/** @typedef {import('./scene.js').Scene} Scene */
/** @typedef {'x' | 'y' | 'y2'} Scale */
/** @typedef {Record<Scale, [number, number]>} Ranges */

const SLIDE_MS = 450;
const SLIDING_MOST = 3000; // points: what takes longer to paint than a frame jumps

export class Plot {
  /**
   * @param {HTMLElement} element
   * @param {object} on
   * @param {(at: number | null, left: number) => void} on.onHover called with the bucket at the cursor
   * @param {(at: number) => void} on.onPick called with a bucket that is clicked
   */
  constructor(element, { onHover, onPick }) {
    this.element = element;
    this.onHover = onHover;
    this.onPick = onPick;
    /** @type {uPlot | null} */
    this.chart = null;
    /** @type {Scene | null} */
    this.scene = null;
    this.shape = '';
    this.frame = 0;
    /** @type {Ranges} */
    this.ranges = { x: [0, 1], y: [0, 1], y2: [0, 1] };
    /** @type {Record<'y' | 'y2', number[]>} the ticks of the value axes */
    this.marks = { y: [], y2: [] };
  }

  /**
   * Draw a scene; where only numbers are new, the old picture slides into the new one.
   * @param {Scene} scene
   */
  draw(scene) {
    this.scene = scene;
    const { view, height, width, bare, model, axis2 } = scene;
    const layers = scene.layers.map((one) => [one.key, one.kind, one.slot, one.slots, one.ghost]);
    const parts = [view, height, width, bare, model.interval, layers, [...axis2]];
    const shape = JSON.stringify(parts);
    const goal = this.goal(scene);
    if (this.chart && shape === this.shape) this.slide(this.chart, scene, goal);
    else this.rebuild(scene, shape, goal);
  }

  /**
   * Return where the scales end.
   * @param {Scene} scene
   * @returns {Ranges}
   */
  goal({ model, layers, axis2, view, height }) {
    const last = model.starts.length - 1;
    const whole = view === 'bar' || last === 0;
    const count = Math.max(2, Math.round(height / 60));
    /** @param {boolean} second */
    const scale = (second) =>
      nice(...extent(layers.filter((one) => axis2.has(one.metric) === second)), count);
    const [y, y2] = [scale(false), scale(true)];
    this.marks = { y: y.ticks, y2: y2.ticks };
    return {
      x: [model.starts[0], whole ? model.end : model.starts[last]],
      y: [y.min, y.max],
      y2: [y2.min, y2.max],
    };
  }

  /**
   * @param {Scene} scene
   * @param {string} shape
   * @param {Ranges} goal
   */
  rebuild(scene, shape, goal) {
    const at = this.chart ? this.chart.cursor.idx : null;
    this.destroy();
    this.shape = shape;
    this.ranges = goal;
    const hooks = { hovered: this.hovered.bind(this), picked: this.onPick };
    const family = getComputedStyle(this.element).fontFamily;
    const options = chartOptions(() => this.scene || scene, this, family, hooks);
    this.chart = new uPlot(options, columns(scene), this.element);
    if (at !== null && at !== undefined) this.show(at);
  }

  /**
   * @param {uPlot} chart
   * @param {Scene} scene
   * @param {Ranges} goal
   */
  slide(chart, scene, goal) {
    const from = this.ranges;
    cancelAnimationFrame(this.frame);
    chart.setData(columns(scene), false);
    const points = scene.layers.length * scene.model.starts.length;
    const still = JSON.stringify(from) === JSON.stringify(goal);
    const reduced = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (still || points > SLIDING_MOST || document.hidden || reduced()) {
      this.settle(chart, goal);
      return;
    }
    const begun = performance.now();
    /** @param {number} now */
    const step = (now) => {
      if (this.chart !== chart) return;
      const share = Math.min(1, Math.max(0, (now - begun) / SLIDE_MS));
      const eased = 1 - (1 - share) ** 3;
      /** @type {(old: [number, number], end: [number, number]) => [number, number]} */
      const between = (old, end) => [
        old[0] + (end[0] - old[0]) * eased,
        old[1] + (end[1] - old[1]) * eased,
      ];
      const { x, y, y2 } = goal;
      if (share === 1) this.settle(chart, goal);
      else {
        const ranges = { x: between(from.x, x), y: between(from.y, y), y2: between(from.y2, y2) };
        this.settle(chart, ranges);
        this.frame = requestAnimationFrame(step);
      }
    };
    this.frame = requestAnimationFrame(step);
    this.settle(chart, from);
  }

  /**
   * @param {uPlot} chart
   * @param {Ranges} ranges
   */
  settle(chart, ranges) {
    this.ranges = ranges;
    chart.setScale('x', { min: ranges.x[0], max: ranges.x[1] });
  }

  /** @param {uPlot} chart */
  hovered(chart) {
    const { left, idx } = chart.cursor;
    const off = left === undefined || left < 0 || idx === null || idx === undefined;
    if (off || !this.scene) this.onHover(null, 0);
    else if (this.scene.view === 'bar') {
      this.onHover(under(chart, this.scene, left), left + chart.over.offsetLeft);
    } else {
      const x = chart.valToPos(this.scene.model.starts[idx], 'x');
      this.onHover(idx, x + chart.over.offsetLeft);
    }
  }

  /**
   * Return how many pixels in the start of bucket `at` is.
   * @param {number} at
   */
  leftOf(at) {
    if (!this.chart || !this.scene) return 0;
    return this.chart.valToPos(this.scene.model.starts[at], 'x') + this.chart.over.offsetLeft;
  }

  /**
   * Put the cursor on bucket `at`; null removes it.
   * @param {number | null} at
   */
  show(at) {
    if (!this.chart || !this.scene) return;
    const { model, view } = this.scene;
    if (at === null) {
      this.chart.setCursor({ left: -10, top: -10 });
      return;
    }
    const start = model.starts[at];
    const middle = view === 'bar' ? (start + endOf(model, at)) / 2 : start;
    this.chart.setCursor({ left: this.chart.valToPos(middle, 'x'), top: 10 });
  }

  /**
   * Bring one series to the front; null: all.
   * @param {string | null} key
   */
  focus(key) {
    if (!this.chart || !this.scene) return;
    let column = 1;
    for (const one of this.scene.layers) {
      if (one.key === key) {
        this.chart.setSeries(column, { focus: true });
        return;
      }
      column += one.lo ? 2 : 1;
    }
    // uPlot takes null for "none", which its types leave out.
    this.chart.setSeries(/** @type {number} */ (/** @type {unknown} */ (null)), { focus: false });
  }

  repaint() {
    if (this.chart) this.chart.redraw(false, true);
  }

  get canvas() {
    return this.chart ? this.chart.ctx.canvas : null;
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    if (this.chart) this.chart.destroy();
    this.chart = null;
    this.shape = '';
  }
}

/**
 * Return the columns of uPlot: the starts, then each layer's ends, and its beginnings if it has any.
 * @param {Scene} scene
 * @returns {uPlot.AlignedData}
 */
function columns({ model, layers }) {
  return [model.starts, ...layers.flatMap(({ lo, hi }) => (lo ? [hi, lo] : [hi]))];
}

/**
 * Return the bar under the cursor: of the bucket that holds it, not of the nearest start.
 * @param {uPlot} chart
 * @param {Scene} scene
 * @param {number} left
 */
function under(chart, { model }, left) {
  const at_ms = chart.posToVal(left, 'x');
  const at = nearest(model.starts, at_ms);
  return model.starts[at] > at_ms && at > 0 ? at - 1 : at;
}
