/* A live graph in an element: asks, draws, looks again, and does what the reader wants.
 *
 * `new HailWhale.Graph(element, options)`; then `refresh()`, `update(options)`, `csv()`, `png()`,
 * `destroy()`, and events on the element: hailwhale:data, :error, :period, :view, :toggle, :pick.
 * Everything is in a shadow root, so the page's style and the graph's leave each other alone.
 */
(function (hw) {
  'use strict';

  const { el, say } = hw.dom;
  const { formats } = hw;
  const SLOTS = 10;

  /** The name of what a series sums up; the column of an HTML table is not of any metric. */
  const summed = (one) => one.metric || one.path.join(' › ');

  class Graph {
    constructor(target, options) {
      this.target = target;
      this.given = options || {};
      this.options = this.read();
      this.hidden = new Set();
      this.slots = new Map();
      this.build();
      this.watch = new hw.source.Watch((signal) => this.fetch(signal), (models) => this.arrived(models), (fault, wait_s) => this.failed(fault, wait_s));
      this.load();
    }

    /** The service the script came from, what the element says, what the call says: later ones win. */
    read() {
      return hw.options.merge({ host: hw.home }, hw.options.fromAttributes(this.target.attributes), this.given);
    }

    /** A sparkline: no frame, no axes. */
    get bare() {
      return !this.options.controls && this.options.height < 80;
    }

    build() {
      const on = {
        period: (period) => this.choose({ period }, 'period', { period }),
        view: (view) => this.choose({ view }, 'view', { view }),
        live: () => this.hold(),
        csv: () => hw.dom.download(hw.csv.fileName(this.title(), 'csv'), new Blob([`\ufeff${this.csv()}`], { type: 'text/csv' })),
        png: async () => hw.dom.download(hw.csv.fileName(this.title(), 'png'), await this.png()),
        retry: () => this.load(),
      };
      this.frame = new hw.Frame(this.options, on);
      this.legend = new hw.Legend({ onToggle: (key, alone) => this.toggle(key, alone), onFocus: (key) => this.plot.focus(key) });
      this.reading = new hw.Reading(this);
      this.table = new hw.Table();
      this.numbers = new hw.Numbers();
      this.plot = new hw.Plot(this.frame.plot, { onHover: (at, left) => this.reading.hover(at, left), onPick: (at) => this.tell('pick', this.bucketOf(at)) });
      this.frame.stage.append(this.reading.readout.element, this.numbers.element);
      this.frame.element.append(this.legend.element, this.table.element);
      this.host = el('div', { class: 'hailwhale' });
      this.before = [...this.target.childNodes];
      this.target.replaceChildren(this.host);
      const root = this.host.attachShadow({ mode: 'open' });
      hw.dom.style(root, hw.css || '');
      root.append(this.frame.element);
      this.listen();
    }

    listen() {
      this.sized = new ResizeObserver(() => this.model && this.draw());
      this.sized.observe(this.frame.stage);
      this.dark = matchMedia('(prefers-color-scheme: dark)');
      this.themed = () => this.repaint();
      this.dark.addEventListener('change', this.themed);
      this.printing = (event) => {
        this.host.toggleAttribute('data-print', event.type === 'beforeprint');
        this.repaint();
      };
      for (const name of ['beforeprint', 'afterprint']) addEventListener(name, this.printing);
      this.reading.listen(this.frame.plot);
    }

    // ---- asking

    load() {
      this.frame.element.dataset.theme = this.options.theme;
      this.host.dataset.theme = this.options.theme;
      if (!this.model) this.frame.show('loading', 'Loading …');
      this.settle();
      this.watch.every_s = this.options.live ? this.every_s() : 0;
      return this.watch.look();
    }

    async fetch(signal) {
      const asked = [hw.source.ask(this.options, hw.options.query(this.options), signal)];
      if (this.options.compare) asked.push(hw.source.ask(this.options, hw.options.query(this.options, this.options.compare), signal));
      const [model, before] = (await Promise.all(asked)).map(hw.model.fromAnswer);
      return before ? hw.model.compared(model, before) : model;
    }

    arrived(model) {
      this.model = model;
      this.frame.warn('');
      this.watch.every_s = this.options.live ? this.every_s() : 0;
      this.draw();
      this.settle();
      this.tell('data', { model });
    }

    failed(fault, wait_s) {
      const again = wait_s ? ` Trying again in ${Math.round(wait_s)} s.` : '';
      const told = { away: 'The store is away.', silent: fault.message }[fault.kind] || fault.message;
      if (this.model && wait_s) this.frame.warn(`${told}${again}`);
      else {
        this.frame.warn('');
        this.frame.show(fault.kind === 'away' ? 'away' : 'error', `${told}${again}`, true);
      }
      this.tell('error', { kind: fault.kind || 'fault', message: fault.message, wait_s });
    }

    every_s() {
      const { starts, end } = this.model || { starts: [] };
      return hw.options.refreshEvery(this.options, starts.length ? end - starts[starts.length - 1] : 100000);
    }

    // ---- what the reader and the page can do

    /** Ask again now; a promise of the answer's being drawn. */
    refresh() {
      return this.watch.look();
    }

    /** Change options; what is asked anew is drawn when it comes. */
    update(options) {
      this.given = Object.assign({}, this.given, options);
      this.options = this.read();
      if (this.model) this.draw();
      return this.load();
    }

    choose(options, event, detail) {
      this.update(options);
      this.tell(event, detail);
    }

    hold() {
      this.update({ live: !this.options.live });
    }

    toggle(key, alone) {
      const keys = this.model.series.map((one) => one.key);
      if (alone) {
        const others = keys.filter((other) => other !== key);
        const only = !this.hidden.has(key) && others.every((other) => this.hidden.has(other));
        this.hidden = new Set(only ? [] : others);
      } else if (!this.hidden.delete(key)) this.hidden.add(key);
      this.draw();
      this.tell('toggle', { hidden: [...this.hidden] });
    }

    /** What is shown as CSV text. */
    csv() {
      return hw.csv.written(hw.csv.rows(this.model, this.names, this.hidden));
    }

    /** What is shown as a PNG: a promise of a Blob. */
    png() {
      const charted = !['table', 'number'].includes(this.options.view);
      if (!charted) this.drawPlot('line');
      const made = hw.png({ title: this.title(), sums: this.frame.sums.textContent, plot: this.plot.canvas, entries: this.entries(), color: (key) => this.color(key), font: getComputedStyle(this.frame.element).fontFamily });
      return made.finally(() => charted || this.draw());
    }

    /** Give the element back as it was; nothing of the graph goes on. */
    destroy() {
      this.watch.stop();
      this.sized.disconnect();
      this.dark.removeEventListener('change', this.themed);
      for (const name of ['beforeprint', 'afterprint']) removeEventListener(name, this.printing);
      this.plot.destroy();
      this.target.replaceChildren(...this.before);
    }

    tell(name, detail) {
      this.target.dispatchEvent(new CustomEvent(`hailwhale:${name}`, { detail: Object.assign({ graph: this }, detail), bubbles: true }));
    }

    // ---- drawing

    draw() {
      const { view } = this.options;
      this.names = formats.names(this.model.series, this.options.labels);
      this.palette = null;
      this.assign();
      const charted = !['table', 'number'].includes(view);
      this.frame.element.dataset.view = view;
      this.frame.element.toggleAttribute('data-bare', this.bare);
      this.host.style.minWidth = this.bare ? '40px' : '';
      if (charted) this.drawPlot(view);
      else this.plot.destroy();
      const entries = this.entries();
      this.numbers.element.hidden = view !== 'number';
      if (view === 'number') this.numbers.draw(entries.filter((one) => !one.hidden));
      this.legend.element.hidden = !this.options.legend || view === 'number' || (entries.length < 2 && view !== 'table');
      if (view === 'table') this.legend.element.hidden = true;
      this.legend.draw(entries);
      const { model, names, options } = this;
      this.table.draw(this.title(), model.starts.length * model.series.length, view === 'table' || options.table,
        () => hw.linesOf(model, names, options.locale, (value, metric) => this.written(value, metric)));
      const empty = hw.model.isEmpty(this.model);
      this.frame.show(empty ? 'empty' : 'ready', empty ? 'Nothing counted in this period yet.' : '');
      this.reading.again();
    }

    drawPlot(view) {
      const { model, options, hidden } = this;
      const layers = hw.stacking.layers(model.series, view, hidden);
      const axis2 = hw.scales.secondAxis(layers, options.axis2);
      if (model.before && (view === 'line' || view === 'area')) {
        for (const one of model.series) {
          if (one.ghost && !hidden.has(one.key)) layers.unshift({ key: `~${one.key}`, metric: one.metric, kind: 'line', lo: null, hi: one.ghost.values, slot: 0, slots: 1, ghost: true });
        }
      }
      const width = this.frame.plot.clientWidth;
      const ticks = this.ticks(width);
      this.plot.draw({
        model, layers, axis2, view, width, height: options.height, smooth: options.smooth, bare: this.bare,
        interval: model.interval, ticks: () => ticks, dashes: this.dashes(), color: (key) => this.color(key),
        short: (value, scale) => {
          const on = layers.find((one) => axis2.has(one.metric) === (scale === 'y2'));
          return formats.short(value, options.locale, this.style(on && on.metric));
        },
      });
    }

    ticks(width) {
      const { model, options } = this;
      const most = Math.max(2, Math.floor(width / 90));
      if (model.names) {
        return hw.scales.sparse(model.names.length, most).map((at) => ({ at_ms: model.starts[at], half_ms: (hw.model.endOf(model, at) - model.starts[at]) / 2, text: model.names[at].slice(0, 16) }));
      }
      const half_ms = model.starts.length ? (model.end - model.starts[model.starts.length - 1]) / 2 : 0;
      return hw.scales.ticks(model.starts, model.interval, model.tz, most).map((tick) => ({ at_ms: tick.at_ms, half_ms, text: formats.tick(tick, options.locale, model.tz) }));
    }

    /** Each series keeps its colour for as long as it is there, whatever comes and goes around it. */
    assign() {
      const keys = new Set(this.model.series.map((one) => one.key));
      for (const key of this.slots.keys()) if (!keys.has(key)) this.slots.delete(key);
      const parents = new Set(this.model.series.map((one) => one.parent));
      const used = new Set(this.slots.values());
      for (const one of this.model.series) {
        const whole = parents.has(one.key);
        if (this.slots.has(one.key) && (this.slots.get(one.key) === 'ink') === whole) continue;
        let slot = 0;
        while (used.has(slot)) slot += 1;
        const chosen = whole ? 'ink' : one.other ? 'other' : slot;
        this.slots.set(one.key, chosen);
        used.add(chosen);
      }
    }

    dashes() {
      return new Map([...this.slots].filter(([, slot]) => slot >= SLOTS).map(([key, slot]) => [key, slot >= 2 * SLOTS ? [2, 3] : [7, 3]]));
    }

    /** The colour of a series, or of a custom property (`--hw-ink`), in the theme of now. */
    color(key) {
      if (!this.palette) {
        this.palette = new Map();
        this.painted = getComputedStyle(this.frame.probe);
      }
      if (!this.palette.has(key)) {
        const own = this.options.colors && !key.startsWith('--') && this.options.colors[this.names.get(key)];
        const slot = this.slots.get(key);
        const name = key.startsWith('--') ? key : slot === 'ink' ? '--hw-ink' : slot === 'other' ? '--hw-other' : `--hw-${(slot % SLOTS) + 1}`;
        this.frame.probe.style.color = own || `var(${name})`;
        this.palette.set(key, this.painted.color);
      }
      return this.palette.get(key);
    }

    repaint() {
      this.palette = null;
      this.plot.repaint();
      if (this.model) this.legend.draw(this.entries());
    }

    entries() {
      return this.model.series.map((one) => {
        const total = this.written(one.total, one.metric);
        const share = one.ghost ? hw.model.change(one.total, one.ghost.total) : null;
        return { key: one.key, name: this.names.get(one.key), total, text: total, values: one.values, share,
          change: one.ghost ? formats.percent(share, this.options.locale, true) : '', color: this.color(one.key), hidden: this.hidden.has(one.key) };
      });
    }

    settle() {
      const { options, model } = this;
      say(this.frame.title, this.title());
      const sums = model ? model.series.filter((one) => one.path.length === (model.series[0].path.length)).filter((one, place, all) => all.findIndex((other) => summed(other) === summed(one)) === place) : [];
      say(this.frame.sums, sums.map((one) => `${this.written(one.total, one.metric)} ${this.said(summed(one))}`).join('   '));
      say(this.frame.zone, model && !model.names ? `Times in ${model.tz}` : '');
      this.frame.settle({ period: options.period, view: options.view, live: options.live, every_s: this.every_s() });
      const kind = { line: 'Line', area: 'Area', stacked: 'Stacked area', bar: 'Bar' }[options.view] || '';
      this.frame.element.setAttribute('aria-label', this.title());
      this.frame.plot.setAttribute('aria-label', `${kind} chart of ${this.title()}, ${formats.period(options.period)}${model ? `, ${model.series.length} series` : ''}. Arrow keys read it point by point.`);
    }

    title() {
      const { title, metrics, pk } = this.options;
      if (title) return title;
      const told = this.model ? [...new Set(this.model.series.map(summed))] : hw.options.list(metrics);
      const what = told.map((metric) => this.said(metric)).join(', ') || 'hits';
      const of = Array.isArray(pk) ? pk.join(' › ') : String(pk || '').replace(/^\[|\]$|["']/g, '').split(',').join(' › ');
      return of && of !== '_' ? `${of}: ${what}` : what;
    }

    said(metric) {
      const { labels } = this.options;
      return labels && typeof labels === 'object' && Object.hasOwn(labels, metric) ? String(labels[metric]) : metric;
    }

    style(metric) {
      const { formats: told } = this.options;
      return told && metric !== undefined && Object.hasOwn(told, metric) ? told[metric] : null;
    }

    written(value, metric) {
      return formats.number(value, this.options.locale, this.style(metric));
    }

    bucketOf(at) {
      const { model } = this;
      return { at, start_ms: model.starts[at], end_ms: hw.model.endOf(model, at), values: model.series.map((one) => ({ key: one.key, path: one.path, metric: one.metric, value: one.values[at] })) };
    }
  }

  hw.Graph = Graph;
})(globalThis.HailWhale = globalThis.HailWhale || {});
