/* The jQuery plugin: graphs in elements, `$(el).hailwhale({pk: 'Shop', metrics: 'dollars'})`.
 *
 * The graphs need no jQuery, and any since 1.7 will do.
 */

import { el } from './dom.js';
import { fakeHits } from './fake_hits.js';
import { Graph } from './graph.js';
import { home } from './home.js';
import { BadOption, DEFAULTS } from './options.js';
import { modelOf, rowsOf } from './tables.js';

const KEY = 'hailwhaleGraph';
/** @type {Readonly<Record<string, (graph: Graph, ...given: unknown[]) => unknown>>} */
const CALLS = {
  refresh: (graph) => graph.refresh(),
  update: (graph, options) => graph.update(/** @type {HailWhale.Options} */ (options)),
  destroy: (graph) => graph.destroy(),
  toggle: (graph, key, alone) => graph.toggle(String(key), Boolean(alone)),
  csv: (graph) => graph.csv(),
  png: (graph) => graph.png(),
};

/**
 * Draw a graph in an element; a wrong option is reported in its place.
 * @param {Element} element
 * @param {HailWhale.Options} [options]
 */
export function graph(element, options) {
  try {
    return new Graph(element, options);
  } catch (fault) {
    if (!(fault instanceof BadOption)) throw fault;
    complain(element, fault.message);
    return null;
  }
}

/**
 * Show an error in place of a graph.
 * @param {Element} element
 * @param {string} message
 */
export function complain(element, message) {
  const style = { color: '#c62a2f', font: '14px system-ui, sans-serif' };
  const said = `HailWhale: ${message}`;
  element.replaceChildren(el('p', { role: 'alert', class: 'hailwhale-error', style }, said));
}

/**
 * Give the plugin to a jQuery.
 * @template {JQueryStatic} JQ
 * @param {JQ} $
 */
export function plugin($) {
  if (Object.hasOwn($.fn, 'hailwhale')) return $;

  /** @type {(element: Element) => Graph | undefined} */
  const graphOf = (element) => $.data(element, KEY);

  /**
   * Draw, or call a method of the graphs there are: `$(el).hailwhale('refresh')`.
   * @this {JQuery<Element>}
   * @param {HailWhale.Options | string} [options]
   * @param {...unknown} rest
   */
  function hailwhale(options, ...rest) {
    if (options === 'graph') return this.data(KEY);
    if (typeof options === 'string') {
      if (!Object.hasOwn(CALLS, options)) {
        const known = Object.keys(CALLS).join(' ');
        throw new TypeError(`hailwhale: no ${options}; known are ${known}`);
      }
      const found = this.get().flatMap((element) => graphOf(element) || []);
      const answers = found.map((one) => CALLS[options](one, ...rest));
      if (options === 'destroy') this.removeData(KEY);
      return ['csv', 'png'].includes(options) ? answers[0] : this;
    }
    return this.each((_, element) => {
      const old = graphOf(element);
      if (old) old.update(options || {});
      else {
        const made = graph(element, options);
        if (made) $.data(element, KEY, made);
      }
    });
  }
  hailwhale.defaults = DEFAULTS;
  $.fn.hailwhale = /** @type {JQuery['hailwhale']} */ (hailwhale);

  $.hailwhale = (host) => serviceAt($, String(host ?? home()).replace(/\/+$/, ''));
  return $;
}

/**
 * Return the service at `host`: its graphs, tables as graphs, and random hits.
 * @param {JQueryStatic} $
 * @param {string} host
 * @returns {ReturnType<JQueryStatic['hailwhale']>}
 */
function serviceAt($, host) {
  /** @param {string | Element | ArrayLike<Element>} target */
  const matched = (target) => $(/** @type {string} */ (target));
  return {
    host,
    add_graph: (target, options) => matched(target).hailwhale({ host, ...options }),
    graph_tables: (target, options) =>
      matched(target)
        .get()
        .map((table) => graphTable(table, options)),
    trigger_fake_hits: (options) => fakeHits(host, options),
  };
}

/**
 * Draw a graph of a table's numbers above it.
 * @param {HTMLElement} table
 * @param {HailWhale.Options} [options]
 */
function graphTable(table, options) {
  if (!(table instanceof HTMLTableElement)) {
    throw new TypeError(`graph_tables: got <${table.localName}>; expected <table>`);
  }
  const place = el('div');
  table.before(place);
  const model = modelOf(rowsOf(table));
  return new Graph(place, {
    data: () => model,
    live: false,
    title: table.caption ? (table.caption.textContent || '').trim() : '',
    view: model.names ? 'bar' : 'line',
    periods: [],
    controls: false,
    ...options,
  });
}
