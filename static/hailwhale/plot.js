/* A scene on a canvas, by uPlot: lines, areas, bands, bars, axes and the cursor.
 *
 * A scene is what `graph.js` has worked out: {model, layers, colors, axis2, view, height, ticks, …}.
 * This owns uPlot and knows its options; it does not know what a graph asks or shows beside the plot.
 */
(function (hw) {
  'use strict';

  const SLIDE_MS = 450;
  const SLIDING_MOST = 3000; // points: what takes longer to paint than a frame jumps
  const { nice } = hw.scales;

  class Plot {
    /** `onHover(at, left)` is told the bucket under the cursor, or null; `onPick(at)` a click. */
    constructor(place, { onHover, onPick }) {
      Object.assign(this, { place, onHover, onPick, chart: null, shape: '', frame: 0, ranges: {} });
    }

    /** Draw a scene; where only numbers are new, the old picture slides into the new one. */
    draw(scene) {
      this.scene = scene;
      const shape = JSON.stringify([scene.view, scene.height, scene.width, scene.bare, scene.interval,
        scene.layers.map((one) => [one.key, one.kind, one.slot, one.slots, one.ghost]), [...scene.axis2]]);
      const goal = this.goal();
      if (this.chart && shape === this.shape) this.slide(goal);
      else this.rebuild(shape, goal);
    }

    /** Where the scales end. */
    goal() {
      const { model, layers, axis2, view, height } = this.scene;
      const last = model.starts.length - 1;
      const whole = view === 'bar' || last === 0;
      const ranges = { x: [model.starts[0], whole ? model.end : model.starts[last]] };
      const count = Math.max(2, Math.round(height / 60));
      this.marks = {};
      for (const [scale, second] of [['y', false], ['y2', true]]) {
        const on = layers.filter((one) => axis2.has(one.metric) === second);
        const found = nice(...hw.stacking.extent(on), count);
        this.marks[scale] = found.ticks;
        ranges[scale] = [found.min, found.max];
      }
      return ranges;
    }

    rebuild(shape, goal) {
      const idx = this.chart ? this.chart.cursor.idx : null;
      this.destroy();
      this.shape = shape;
      this.ranges = goal;
      this.chart = new hw.uPlot(this.options(), this.columns(), this.place);
      if (idx !== null && idx !== undefined) this.show(idx);
    }

    slide(goal) {
      const from = this.ranges;
      const still = JSON.stringify(from) === JSON.stringify(goal);
      cancelAnimationFrame(this.frame);
      this.chart.setData(this.columns(), false);
      const points = this.scene.layers.length * this.scene.model.starts.length;
      if (still || points > SLIDING_MOST || document.hidden || matchMedia('(prefers-reduced-motion: reduce)').matches) {
        this.settle(goal);
        return;
      }
      const begun = performance.now();
      const step = (now) => {
        if (!this.chart) return;
        const share = Math.min(1, Math.max(0, (now - begun) / SLIDE_MS));
        const eased = 1 - (1 - share) ** 3;
        const between = {};
        for (const key of Object.keys(goal)) {
          between[key] = goal[key].map((end, side) => (share === 1 ? end : from[key][side] + (end - from[key][side]) * eased));
        }
        this.settle(between);
        if (share < 1) this.frame = requestAnimationFrame(step);
      };
      this.frame = requestAnimationFrame(step);
      this.settle(from);
    }

    settle(ranges) {
      this.ranges = ranges;
      this.chart.setScale('x', { min: ranges.x[0], max: ranges.x[1] });
    }

    /** The columns of uPlot: the starts, then of each layer its end, and its beginning if it has one. */
    columns() {
      const found = [this.scene.model.starts];
      for (const { lo, hi } of this.scene.layers) found.push(hi, ...(lo ? [lo] : []));
      return found;
    }

    options() {
      const { scene } = this;
      const series = [{}];
      const bands = [];
      for (const one of scene.layers) {
        series.push(this.series(one));
        if (one.lo) {
          if (one.kind === 'band') bands.push({ series: [series.length - 1, series.length], fill: () => this.faded(one.key, 0.55) });
          series.push(Object.assign(this.series(one), { width: 0, stroke: null, fill: null, points: { show: false }, paths: one.kind === 'bar' ? () => null : this.path() }));
        }
      }
      const range = (scale) => () => this.ranges[scale];
      return {
        width: Math.max(40, scene.width),
        height: scene.height,
        padding: scene.bare ? [4, 2, 4, 2] : [12, scene.axis2.size ? 4 : scene.view === 'bar' ? 16 : 28, 0, 4],
        legend: { show: false },
        focus: { alpha: 0.25 },
        cursor: {
          show: !scene.bare,
          y: false,
          drag: { x: false, y: false, setScale: false },
          points: { size: (u, at) => (this.colorAt(at) ? 9 : 0), width: 1.5, fill: (u, at) => this.colorAt(at), stroke: () => this.color('--hw-paper') },
        },
        scales: { x: { time: false, range: range('x') }, y: { range: range('y') }, y2: { range: range('y2') } },
        series,
        bands,
        axes: this.axes(),
        hooks: {
          setCursor: [(u) => this.hovered(u)],
          drawClear: [],
          ready: [(u) => u.over.addEventListener('click', () => {
            if (u.cursor.idx !== null && u.cursor.idx !== undefined) this.onPick(u.cursor.idx);
          })],
        },
      };
    }

    series(one) {
      const stroke = () => this.color(one.key);
      const drawn = {
        scale: this.scene.axis2.has(one.metric) ? 'y2' : 'y',
        stroke,
        width: one.kind === 'line' ? 2 : 1.5,
        points: { show: this.scene.model.starts.length === 1, size: 8, fill: stroke },
        paths: this.path(),
      };
      const dash = this.scene.dashes.get(one.key);
      if (one.ghost) Object.assign(drawn, { dash: [2, 4], width: 1.5, stroke: () => this.faded(one.key.slice(1), 0.75) });
      else if (dash) drawn.dash = dash;
      if (one.kind === 'area') drawn.fill = (u) => this.gradient(u, one.key);
      if (one.kind === 'bar') Object.assign(drawn, { paths: (u, at, from, to) => this.bars(u, one, from, to), fill: () => this.faded(one.key, 0.85), width: 0, points: { show: false } });
      return drawn;
    }

    path() {
      this.paths = this.paths || { smooth: hw.uPlot.paths.spline(), straight: hw.uPlot.paths.linear() };
      const few = this.scene.smooth && this.scene.model.starts.length <= 120;
      return few ? this.paths.smooth : this.paths.straight;
    }

    /** Bars as wide as their bucket, less a gap, each slot its part of it. */
    bars(u, layer, from, to) {
      const { model, layers } = this.scene;
      const one = layers.find(({ key }) => key === layer.key); // as it is now: the chart outlives scenes
      const fill = new Path2D();
      const scale = this.scene.axis2.has(one.metric) ? 'y2' : 'y';
      for (let at = from; at <= to; at += 1) {
        const bottom = Math.round(u.valToPos(one.lo ? one.lo[at] : Math.min(0, one.hi[at]), scale, true));
        const top = Math.round(u.valToPos(one.lo ? one.hi[at] : Math.max(0, one.hi[at]), scale, true));
        if (bottom === top) continue;
        const left = u.valToPos(model.starts[at], 'x', true);
        const width = u.valToPos(hw.model.endOf(model, at), 'x', true) - left;
        const gap = Math.min(width * 0.2, 8 * devicePixelRatio);
        const slot = (width - gap) / one.slots;
        const begin = Math.round(left + gap / 2 + slot * one.slot);
        const end = Math.round(left + gap / 2 + slot * (one.slot + 1)) - (one.slots > 1 ? 1 : 0);
        fill.rect(begin, top, Math.max(1, end - begin), bottom - top);
      }
      return { fill, stroke: null, clip: null, band: null, gaps: null, flags: 0 };
    }

    axes() {
      const { scene } = this;
      if (scene.bare) return [{ show: false }, { show: false }];
      const font = `12px ${getComputedStyle(this.place).fontFamily}`;
      const ink = { font, stroke: () => this.color('--hw-quiet'), ticks: { show: false } };
      const inside = (list, scale) => list.filter((value) => value >= this.ranges[scale][0] && value <= this.ranges[scale][1]);
      const value = (scale, side) => Object.assign({}, ink, {
        scale,
        side,
        gap: 6,
        splits: () => inside(this.marks[scale], scale),
        values: (u, splits) => splits.map((at) => this.scene.short(at, scale === 'y2')),
        size: (u, texts) => Math.ceil(this.widest(u, texts || [], font)) + 14,
        grid: { show: scale === 'y', stroke: () => this.color('--hw-line'), width: 1 },
      });
      const shift = scene.view === 'bar' || scene.model.names;
      const x = Object.assign({}, ink, {
        size: 28,
        gap: 6,
        splits: () => inside(this.scene.ticks().map((tick) => tick.at_ms + (shift ? tick.half_ms : 0)), 'x'),
        values: (u, splits) => {
          const told = new Map(this.scene.ticks().map((tick) => [tick.at_ms + (shift ? tick.half_ms : 0), tick.text]));
          return splits.map((at) => told.get(at) || '');
        },
        grid: { show: false },
      });
      return [x, value('y', 3), ...(scene.axis2.size ? [value('y2', 1)] : [])];
    }

    widest(u, texts, font) {
      u.ctx.save();
      u.ctx.font = font;
      const width = Math.max(0, ...texts.map((text) => u.ctx.measureText(text).width));
      u.ctx.restore();
      return width;
    }

    /** The colour of a series, or of a custom property of the style. */
    color(key) {
      return this.scene.color(key);
    }

    /** The colour of a column of the chart library; '' of one that is where a layer begins. */
    colorAt(place) {
      let at = 1;
      for (const one of this.scene.layers) {
        if (place === at) return this.color(one.ghost ? one.key.slice(1) : one.key);
        at += one.lo ? 2 : 1;
      }
      return '';
    }

    faded(key, alpha) {
      return `color-mix(in srgb, ${this.color(key)} ${alpha * 100}%, transparent)`;
    }

    gradient(u, key) {
      const filled = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
      filled.addColorStop(0, this.faded(key, 0.38));
      filled.addColorStop(1, this.faded(key, 0.04));
      return filled;
    }

    hovered(u) {
      const { left, idx } = u.cursor;
      if (left === undefined || left < 0 || idx === null || idx === undefined) this.onHover(null, 0);
      else if (this.scene.view === 'bar') this.onHover(this.under(u, left), left + u.over.offsetLeft);
      else this.onHover(idx, this.leftOf(idx));
    }

    /** How many pixels in the start of bucket `at` is. */
    leftOf(at) {
      return this.chart.valToPos(this.scene.model.starts[at], 'x') + this.chart.over.offsetLeft;
    }

    /** The bar under the cursor is the bucket that holds it, not the one whose start is nearest. */
    under(u, left) {
      const { starts } = this.scene.model;
      const at_ms = u.posToVal(left, 'x');
      let at = hw.scales.nearest(starts, at_ms);
      if (starts[at] > at_ms && at > 0) at -= 1;
      return at;
    }

    /** Put the cursor on bucket `at`; null takes it away. */
    show(at) {
      if (!this.chart) return;
      const { model, view } = this.scene;
      if (at === null) {
        this.chart.setCursor({ left: -10, top: -10 });
        return;
      }
      const middle = view === 'bar' ? (model.starts[at] + hw.model.endOf(model, at)) / 2 : model.starts[at];
      this.chart.setCursor({ left: this.chart.valToPos(middle, 'x'), top: 10 });
    }

    /** Bring one series to the front; null: all. */
    focus(key) {
      if (!this.chart) return;
      let at = 1;
      for (const one of this.scene.layers) {
        if (one.key === key) {
          this.chart.setSeries(at, { focus: true });
          return;
        }
        at += one.lo ? 2 : 1;
      }
      this.chart.setSeries(null, { focus: false });
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

  hw.Plot = Plot;
})(globalThis.HailWhale = globalThis.HailWhale || {});
