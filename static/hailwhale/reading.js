/* Reading a graph: by pointer, by touch and by keyboard; what is read is shown, and spoken.
 *
 * Owns which bucket is read. What the numbers are called and how they are written the graph knows.
 */
(function (hw) {
  'use strict';

  const { formats } = hw;

  class Reading {
    constructor(graph) {
      this.graph = graph;
      this.readout = new hw.Readout();
      this.at = null;
      this.left = 0;
    }

    listen(plot) {
      plot.addEventListener('keydown', (event) => this.pressed(event));
      plot.addEventListener('blur', () => this.graph.plot.show(null));
      plot.addEventListener('touchmove', (event) => this.touched(event), { passive: true });
    }

    /** Read bucket `at`, which is `left` pixels in; null: none. */
    hover(at, left) {
      const { model, names, frame } = this.graph;
      this.at = at;
      this.left = left;
      if (at === null || !model || at >= model.starts.length) {
        this.readout.hide();
        return;
      }
      const values = this.shown().map((one) => ({
        value: one.values[at],
        name: names.get(one.key),
        text: this.graph.written(one.values[at], one.metric),
        was: one.ghost ? this.graph.written(one.ghost.values[at], one.metric) : '',
        color: this.graph.color(one.key),
      }));
      values.sort((a, b) => b.value - a.value);
      this.readout.show(this.when(at), values, left, frame.stage.clientWidth);
    }

    /** Read the same bucket anew: its numbers may be others. */
    again() {
      if (this.at !== null) this.hover(this.at, this.left);
    }

    pressed(event) {
      const { model, plot, frame } = this.graph;
      if (!model || !plot.chart) return;
      const last = model.starts.length - 1;
      const from = this.at === null ? last + 1 : this.at;
      const to = { ArrowLeft: from - 1, ArrowRight: from + 1, PageUp: from - 7, PageDown: from + 7, Home: 0, End: last, Escape: null }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const at = to === null ? null : Math.min(last, Math.max(0, to));
      plot.show(at);
      this.hover(at, at === null ? 0 : plot.leftOf(at));
      hw.dom.say(frame.spoken, at === null ? '' : this.sentence(at));
    }

    touched(event) {
      const { chart } = this.graph.plot;
      if (!chart) return;
      const box = chart.over.getBoundingClientRect();
      chart.setCursor({ left: Math.min(box.width, Math.max(0, event.touches[0].clientX - box.left)), top: 10 });
    }

    shown() {
      return this.graph.model.series.filter((one) => !this.graph.hidden.has(one.key));
    }

    /** Bucket `at` in words; what is counted still is "so far". */
    when(at) {
      const { model, options } = this.graph;
      const open = !model.names && at === model.starts.length - 1 && model.end > Date.now();
      return formats.place(model, at, options.locale) + (open ? ', so far' : '');
    }

    sentence(at) {
      const { names } = this.graph;
      const told = this.shown().map((one) => `${names.get(one.key)} ${this.graph.written(one.values[at], one.metric)}`);
      return `${this.when(at)}: ${told.join(', ')}`;
    }
  }

  hw.Reading = Reading;
})(globalThis.HailWhale = globalThis.HailWhale || {});
