/* The jQuery plugin: graphs in elements, `$(el).hailwhale({pk: 'Shop', metrics: 'dollars'})`.
 *
 * As it is served, this file comes after uPlot and everything in hailwhale/. The graphs need no
 * jQuery, and any since 1.7 will do: `HailWhale.plugin(jQuery)` gives the plugin to one that comes later.
 */
(function (hw) {
  'use strict';

  const KEY = 'hailwhaleGraph';
  const CALLS = ['refresh', 'update', 'destroy', 'toggle', 'csv', 'png'];

  /** Where this script came from: the service, unless an option names another. */
  const script = document.currentScript;
  hw.home = hw.home || (script && script.src ? script.src.replace(/\/static\/.*$/, '') : '');

  /** A graph in `element`; what is wrong with the options is told where the graph would be. */
  hw.graph = function (element, options) {
    try {
      return new hw.Graph(element, options);
    } catch (fault) {
      if (!(fault instanceof hw.options.BadOption)) throw fault;
      hw.complain(element, fault.message);
      return null;
    }
  };

  /** An error in place of a graph. */
  hw.complain = function (element, message) {
    element.replaceChildren(hw.dom.el('p', { role: 'alert', class: 'hailwhale-error', style: { color: '#c62a2f', font: '14px system-ui, sans-serif' } }, `HailWhale: ${message}`));
  };

  /** Give the plugin to a jQuery. */
  hw.plugin = function ($) {
    if ($.fn.hailwhale) return $;

    /** Draw, or `$(el).hailwhale('refresh')`; `$(el).hailwhale('graph')` is the graph itself. */
    $.fn.hailwhale = function (options, ...rest) {
      if (options === 'graph') return this.data(KEY);
      if (typeof options === 'string') {
        if (!CALLS.includes(options)) throw new TypeError(`hailwhale: no ${options}; known are ${CALLS.join(' ')}`);
        const found = this.map((_, element) => $.data(element, KEY)).get();
        const answers = found.map((graph) => graph[options](...rest));
        if (options === 'destroy') this.removeData(KEY);
        return ['csv', 'png'].includes(options) ? answers[0] : this;
      }
      return this.each((_, element) => {
        const old = $.data(element, KEY);
        if (old) old.update(options || {});
        else {
          const graph = hw.graph(element, options);
          if (graph) $.data(element, KEY, graph);
        }
      });
    };
    $.fn.hailwhale.defaults = hw.options.DEFAULTS;

    /** The service at `host`: its graphs, tables as graphs, and made-up hits to watch it by. */
    $.hailwhale = function (host) {
      const home = String(host === undefined || host === null ? hw.home : host).replace(/\/+$/, '');
      return {
        host: home,
        add_graph: (target, options) => $(target).hailwhale(Object.assign({ host: home }, options)),
        graph_tables: (selector, options) => $(selector).map((_, table) => hw.tables.graphTable(table, options)).get(),
        trigger_fake_hits: (options) => hw.fakes.fakeHits(home, options),
      };
    };
    return $;
  };

  if (globalThis.jQuery) hw.plugin(globalThis.jQuery);
})(globalThis.HailWhale = globalThis.HailWhale || {});
