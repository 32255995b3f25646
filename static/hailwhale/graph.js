/* A live graph in an element: it asks, draws, refreshes, and does what the reader wants.
 *
 * docs/widget.rst has its methods and its events. Everything is in a shadow root, so that the style
 * of the page and that of the graph do not affect each other.
 */

import css from 'hailwhale.css';
import { describe, sumsOf, titleOf, written } from './captions.js';
import { Colors } from './colors.js';
import { fileName, rows, written as csvText } from './csv.js';
import { DataTable, linesOf } from './data_table.js';
import { download, el, say, style } from './dom.js';
import { names } from './formats.js';
import { Frame } from './frame.js';
import { home } from './home.js';
import { entriesOf, Legend } from './legend.js';
import { bucketOf, compared, fromAnswer, isEmpty } from './model.js';
import { Numbers } from './numbers.js';
import { fromAttributes, merge, query, refreshEvery } from './options.js';
import { png } from './picture.js';
import { Plot } from './plot.js';
import { Reading } from './reading.js';
import { sceneOf } from './scene.js';
import { ask, Watch } from './source.js';

const PRINT_EVENTS = ['beforeprint', 'afterprint'];

/** @param {HailWhale.View} view */
const isChart = (view) => view !== 'table' && view !== 'number';

export class Graph {
  /**
   * @param {Element} target
   * @param {HailWhale.Options} [options]
   */
  constructor(target, options = {}) {
    this.target = target;
    this.given = options;
    this.options = this.read(options);
    /** @type {HailWhale.Model | null} */
    this.model = null;
    /** @type {Map<string, string>} */
    this.names = new Map();
    /** @type {Set<string>} */
    this.hidden = new Set();
    this.frame = new Frame(this.options, this.callbacks());
    this.colors = new Colors(this.frame.probe);
    this.reading = new Reading(this);
    this.table = new DataTable();
    this.numbers = new Numbers();
    this.plot = new Plot(this.frame.plot, {
      onHover: (at, left) => this.reading.hover(at, left),
      onPick: (at) => this.model && this.tell('pick', bucketOf(this.model, at)),
    });
    this.legend = new Legend({
      onToggle: (key, alone) => this.toggle(key, alone),
      onFocus: (key) => this.plot.focus(key),
    });
    this.before = [...target.childNodes];
    this.host = el('div', { class: 'hailwhale' });
    this.mount();
    this.watch = new Watch(
      (signal) => this.fetch(signal),
      (model) => this.arrived(model),
      (fault, wait_s) => this.failed(fault, wait_s),
    );
    this.sized = new ResizeObserver(() => this.draw());
    this.dark = matchMedia('(prefers-color-scheme: dark)');
    this.themed = () => this.repaint();
    this.printing = (/** @type {Event} */ event) => {
      this.host.toggleAttribute('data-print', event.type === 'beforeprint');
      this.repaint();
    };
    this.listen();
    this.load();
  }

  /**
   * Merge the service the script came from, the attributes of the element, and the call's options.
   * @param {HailWhale.Options} given
   */
  read(given) {
    return merge({ host: home() }, fromAttributes(this.target.attributes), given);
  }

  /** Whether it is a sparkline: no frame, no axes. */
  get bare() {
    return !this.options.controls && this.options.height < 80;
  }

  /** @returns {import('./tools.js').Callbacks} */
  callbacks() {
    return {
      period: (period) => this.choose({ period }, 'period', { period }),
      view: (view) => this.choose({ view }, 'view', { view }),
      live: () => this.update({ live: !this.options.live }),
      csv: () => {
        const text = new Blob([`\ufeff${this.csv()}`], { type: 'text/csv' });
        download(fileName(this.title(), 'csv'), text);
      },
      png: async () => download(fileName(this.title(), 'png'), await this.png()),
      retry: () => this.load(),
    };
  }

  mount() {
    const { frame } = this;
    frame.stage.append(this.reading.readout.element, this.numbers.element);
    frame.element.append(this.legend.element, this.table.element);
    this.target.replaceChildren(this.host);
    const root = this.host.attachShadow({ mode: 'open' });
    style(root, css);
    root.append(frame.element);
  }

  listen() {
    this.sized.observe(this.frame.stage);
    this.dark.addEventListener('change', this.themed);
    for (const name of PRINT_EVENTS) addEventListener(name, this.printing);
    this.reading.listen(this.frame.plot);
  }

  // ---- Requests

  load() {
    this.frame.element.dataset.theme = this.options.theme;
    this.host.dataset.theme = this.options.theme;
    if (!this.model) this.frame.show('loading', 'Loading …');
    this.settle();
    this.watch.every_s = this.options.live ? this.every_s() : 0;
    return this.watch.look();
  }

  /** @param {AbortSignal} signal */
  async fetch(signal) {
    const { options } = this;
    const queries = [query(options)];
    if (options.compare) queries.push(query(options, options.compare));
    const answers = await Promise.all(queries.map((one) => ask(options, one, signal)));
    const [model, before] = answers.map(fromAnswer);
    return before ? compared(model, before) : model;
  }

  /** @param {HailWhale.Model} model */
  arrived(model) {
    this.model = model;
    this.frame.warn('');
    this.watch.every_s = this.options.live ? this.every_s() : 0;
    this.draw();
    this.settle();
    this.tell('data', { model });
  }

  /**
   * @param {Error & {kind?: string}} fault
   * @param {number} wait_s
   */
  failed(fault, wait_s) {
    const { kind = 'fault', message } = fault;
    const again = wait_s ? ` Trying again in ${Math.round(wait_s)} s.` : '';
    const said = `${kind === 'away' ? 'The store is unavailable.' : message}${again}`;
    const stale = this.model && wait_s > 0;
    this.frame.warn(stale ? said : '');
    if (!stale) this.frame.show(kind === 'away' ? 'away' : 'error', said, true);
    this.tell('error', { kind, message, wait_s });
  }

  every_s() {
    const { starts, end } = this.model || { starts: [], end: 0 };
    const bucket_ms = starts.length ? end - starts[starts.length - 1] : 100000;
    return refreshEvery(this.options, bucket_ms);
  }

  // ---- What the reader and the page can do

  /** Request the numbers now; the promise resolves when they are drawn. */
  refresh() {
    return this.watch.look();
  }

  /**
   * Change options; what has to be requested is drawn when it arrives.
   * @param {HailWhale.Options} options
   */
  update(options) {
    const given = { ...this.given, ...options };
    this.options = this.read(given);
    this.given = given;
    this.draw();
    return this.load();
  }

  /**
   * @param {HailWhale.Options} options
   * @param {string} event
   * @param {object} detail
   */
  choose(options, event, detail) {
    this.update(options);
    this.tell(event, detail);
  }

  /**
   * Hide a series, or show it again; `alone` hides all others.
   * @param {string} key
   * @param {boolean} [alone]
   */
  toggle(key, alone = false) {
    const keys = this.model ? this.model.series.map((one) => one.key) : [];
    if (alone) {
      const others = keys.filter((other) => other !== key);
      const only = !this.hidden.has(key) && others.every((other) => this.hidden.has(other));
      this.hidden = new Set(only ? [] : others);
    } else if (!this.hidden.delete(key)) this.hidden.add(key);
    this.draw();
    this.tell('toggle', { hidden: [...this.hidden] });
  }

  /** Return the numbers shown as CSV. */
  csv() {
    if (!this.model) throw new Error('HailWhale: there are no numbers yet');
    return csvText(rows(this.model, this.names, this.hidden));
  }

  /** Return a promise of the graph as a PNG. */
  png() {
    const { model, frame } = this;
    const charted = isChart(this.options.view);
    if (model && !charted) this.drawPlot(model, 'line');
    const plot = this.plot.canvas;
    if (!model || !plot) return Promise.reject(new Error('HailWhale: there is no graph yet'));
    const made = png({
      title: this.title(),
      sums: frame.sums.textContent || '',
      plot,
      entries: this.entries(model),
      color: (key) => this.color(key),
      font: getComputedStyle(frame.element).fontFamily,
    });
    return made.finally(() => charted || this.draw());
  }

  /** Stop, and restore the element's former content. */
  destroy() {
    this.watch.stop();
    this.sized.disconnect();
    this.dark.removeEventListener('change', this.themed);
    for (const name of PRINT_EVENTS) removeEventListener(name, this.printing);
    this.plot.destroy();
    this.target.replaceChildren(...this.before);
  }

  /**
   * @param {string} name
   * @param {object} more
   */
  tell(name, more) {
    const detail = { graph: this, ...more };
    this.target.dispatchEvent(new CustomEvent(`hailwhale:${name}`, { detail, bubbles: true }));
  }

  // ---- Drawing

  draw() {
    const { model, options, frame, legend } = this;
    if (!model) return;
    const { view } = options;
    this.names = names(model.series, options.labels);
    this.colors.assign(model.series, (key) => options.colors?.[this.names.get(key) || '']);
    frame.element.dataset.view = view;
    frame.element.toggleAttribute('data-bare', this.bare);
    this.host.style.minWidth = this.bare ? '40px' : '';
    if (isChart(view)) this.drawPlot(model, view);
    else this.plot.destroy();
    const entries = this.entries(model);
    this.numbers.element.hidden = view !== 'number';
    if (view === 'number') this.numbers.draw(entries.filter((one) => !one.hidden));
    legend.element.hidden = !options.legend || !isChart(view) || entries.length < 2;
    legend.draw(entries);
    const cells = model.starts.length * model.series.length;
    this.table.draw(this.title(), cells, view === 'table' || options.table, () =>
      linesOf(model, this.names, options.locale, (value, metric) => this.written(value, metric)),
    );
    const empty = isEmpty(model);
    const said = empty ? 'Nothing counted in this period yet.' : '';
    frame.show(empty ? 'empty' : 'ready', said);
    this.reading.again();
  }

  /**
   * @param {HailWhale.Model} model
   * @param {HailWhale.View} view
   */
  drawPlot(model, view) {
    this.plot.draw(
      sceneOf({
        model,
        view,
        options: this.options,
        hidden: this.hidden,
        width: this.frame.plot.clientWidth,
        bare: this.bare,
        dashes: this.colors.dashes(),
        color: (key) => this.color(key),
      }),
    );
  }

  /**
   * Return the color of a series, or of a custom property, in the current theme.
   * @param {string} key
   */
  color(key) {
    return this.colors.of(key);
  }

  repaint() {
    this.colors.forget();
    this.plot.repaint();
    if (this.model) this.legend.draw(this.entries(this.model));
  }

  /** @param {HailWhale.Model} model */
  entries(model) {
    return entriesOf(model, this);
  }

  /** Show the title, the sums and the state of the controls. */
  settle() {
    const { options, model, frame } = this;
    const { period, view, live } = options;
    say(frame.title, this.title());
    say(frame.sums, sumsOf(options, model));
    if (frame.tools) {
      say(frame.tools.zone, model && !model.names ? `Times in ${model.tz}` : '');
      frame.tools.settle({ period, view, live, every_s: this.every_s() });
    }
    frame.element.setAttribute('aria-label', this.title());
    frame.plot.setAttribute('aria-label', describe(options, model));
  }

  title() {
    return titleOf(this.options, this.model);
  }

  /**
   * @param {number | null} value
   * @param {string} metric
   */
  written(value, metric) {
    return written(this.options, value, metric);
  }
}
