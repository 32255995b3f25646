/* Reading a graph: by pointer, by touch and by keyboard; what is read is shown, and spoken.
 *
 * Owns which bucket is read. The graph knows names and formats.
 */

import { say } from './dom.js';
import { place } from './formats.js';
import { Readout } from './readout.js';

export class Reading {
  /** @param {import('./graph.js').Graph} graph */
  constructor(graph) {
    this.graph = graph;
    this.readout = new Readout();
    /** @type {number | null} */
    this.at = null;
    this.left = 0;
  }

  /** @param {HTMLElement} plot */
  listen(plot) {
    plot.addEventListener('keydown', (event) => this.pressed(event));
    plot.addEventListener('blur', () => this.graph.plot.show(null));
    plot.addEventListener('touchmove', (event) => this.touched(event), { passive: true });
  }

  /**
   * Read bucket `at`, which is `left` pixels in; null: none.
   * @param {number | null} at
   * @param {number} left
   */
  hover(at, left) {
    const { model, names, frame } = this.graph;
    this.at = at;
    this.left = left;
    if (at === null || !model || at >= model.starts.length) {
      this.readout.hide();
      return;
    }
    const values = this.shown(model).map((one) => ({
      value: one.values[at],
      name: names.get(one.key) || '',
      text: this.graph.written(one.values[at], one.metric),
      was: one.ghost ? this.graph.written(one.ghost.values[at], one.metric) : '',
      color: this.graph.color(one.key),
    }));
    values.sort((a, b) => (b.value ?? -1e300) - (a.value ?? -1e300));
    this.readout.show(this.when(model, at), values, left, frame.stage.clientWidth);
  }

  /** Read the same bucket again, for its numbers may have changed. */
  again() {
    if (this.at !== null) this.hover(this.at, this.left);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const { model, plot, frame } = this.graph;
    if (!model || !plot.chart) return;
    const last = model.starts.length - 1;
    const from = this.at === null ? last + 1 : this.at;
    /** @type {Record<string, number | null | undefined>} */
    const keys = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      PageUp: from - 7,
      PageDown: from + 7,
      Home: 0,
      End: last,
      Escape: null,
    };
    const to = keys[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const at = to === null ? null : Math.min(last, Math.max(0, to));
    plot.show(at);
    this.hover(at, at === null ? 0 : plot.leftOf(at));
    say(frame.spoken, at === null ? '' : this.sentence(model, at));
  }

  /** @param {TouchEvent} event */
  touched(event) {
    const { chart } = this.graph.plot;
    if (!chart) return;
    const box = chart.over.getBoundingClientRect();
    const left = Math.min(box.width, Math.max(0, event.touches[0].clientX - box.left));
    chart.setCursor({ left, top: 10 });
  }

  /** @param {HailWhale.Model} model */
  shown(model) {
    return model.series.filter((one) => !this.graph.hidden.has(one.key));
  }

  /**
   * Return bucket `at` in words; one that has not ended is "so far".
   * @param {HailWhale.Model} model
   * @param {number} at
   */
  when(model, at) {
    const open = !model.names && at === model.starts.length - 1 && model.end > Date.now();
    return place(model, at, this.graph.options.locale) + (open ? ', so far' : '');
  }

  /**
   * @param {HailWhale.Model} model
   * @param {number} at
   */
  sentence(model, at) {
    const { names } = this.graph;
    const values = this.shown(model).map(
      (one) => `${names.get(one.key)} ${this.graph.written(one.values[at], one.metric)}`,
    );
    return `${this.when(model, at)}: ${values.join(', ')}`;
  }
}
