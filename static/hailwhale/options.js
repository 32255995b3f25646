/* What a graph can be told, what it is when it is told nothing, and what of it goes to the server.
 *
 * Owns: the names of options, their defaults, how they are read from attributes and merged
 * (defaults <- data-hailwhale-* <- call), and the query they make. Knows no page and no network.
 */
(function (hw) {
  'use strict';

  const DEFAULTS = Object.freeze({
    // what is asked; the parameters of /plotpoints
    pk: '', dimensions: '', metrics: '', period: '1d:1mo', tz: '', tzoffset: '',
    depth: '', threshold: '', limit: '', sort: '', other: '',
    compare: '', // another period, drawn as ghosts: yesterday beside today
    // how it looks
    view: 'line', title: '', height: 240, theme: 'auto', locale: '', smooth: true,
    axis2: '', // the metrics on the second axis; 'auto', '' : whichever are of another size
    formats: null, // {metric: options of Intl.NumberFormat}
    labels: null, // (series) => text, or {metric or label: text}
    colors: null, // {label: a CSS colour}
    controls: true, legend: true, table: false,
    periods: null, // those of the picker
    // how it lives
    live: true, interval: '', // seconds between two looks; '': by the width of a bucket
    host: '', token: '', sealed: '', data: null, // (query) => answer or a promise of one, in place of the server
  });

  const ASKED = ['pk', 'dimensions', 'metrics', 'period', 'tz', 'tzoffset', 'depth', 'threshold',
    'limit', 'sort', 'other'];
  const SINGULAR = { dimension: 'dimensions', metric: 'metrics', hwurl: 'host' };
  const VIEWS = ['line', 'area', 'stacked', 'bar', 'table', 'number'];
  const FLAGS = ['live', 'controls', 'legend', 'table', 'smooth'];
  const OBJECTS = ['formats', 'labels', 'colors'];

  const PERIODS = Object.freeze(['hour', 'day', 'today', 'yesterday', 'seven', 'thirty', 'mtd', 'ytd',
    'year']);

  class BadOption extends Error {}

  /** `merge({…}, {…})`: the defaults with each of the given over them; later ones win. */
  function merge(...given) {
    const options = Object.assign({}, DEFAULTS);
    for (const some of given) {
      for (const [name, value] of Object.entries(some || {})) {
        if (value === undefined || value === null) continue;
        const known = SINGULAR[name] || name;
        if (name === 'area') {
          if (flag(name, value)) options.view = 'area'; // as the graphs of old were asked
        } else if (known in DEFAULTS) options[known] = value;
        else throw new BadOption(`${name}: no such option; known are ${Object.keys(DEFAULTS).join(' ')}`);
      }
    }
    return settled(options);
  }

  function settled(options) {
    for (const name of FLAGS) options[name] = flag(name, options[name]);
    for (const name of OBJECTS) options[name] = parsed(name, options[name]);
    if (!VIEWS.includes(options.view)) {
      throw new BadOption(`view: got ${options.view}; expected one of ${VIEWS.join(' ')}`);
    }
    options.height = within('height', options.height, 40, 4000);
    if (options.interval !== '') options.interval = within('interval', options.interval, 1, 86400);
    options.host = String(options.host).replace(/\/+$/, '');
    if (options.periods) options.periods = list(options.periods);
    options.axis2 = list(options.axis2);
    return options;
  }

  function within(name, value, least, most) {
    const number = Number(value);
    if (!(number >= least && number <= most)) {
      throw new BadOption(`${name}: got ${value}; expected a number from ${least} to ${most}`);
    }
    return number;
  }

  function flag(name, value) {
    if (typeof value === 'boolean') return value;
    const word = String(value).toLowerCase();
    if (['1', 'true', 'yes', 'on'].includes(word)) return true;
    if (['0', 'false', 'no', 'off', ''].includes(word)) return false;
    throw new BadOption(`${name}: got ${value}; expected 1 or 0`);
  }

  function parsed(name, value) {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch (fault) {
      throw new BadOption(`${name}: got ${value}; expected JSON`);
    }
  }

  /** A list, or a text of several with commas between, as a list. */
  function list(value) {
    if (Array.isArray(value)) return value.map(String);
    return String(value === null || value === undefined ? '' : value)
      .split(',').map((text) => text.trim()).filter(Boolean);
  }

  /** Options from attributes: `data-hailwhale-pk="Shop"` is `{pk: 'Shop'}`. */
  function fromAttributes(attributes) {
    const options = {};
    for (const { name, value } of attributes) {
      const found = /^data-hailwhale-(.+)$/.exec(name);
      if (found) options[found[1].replace(/-/g, '_')] = value;
    }
    return options;
  }

  /** The query for what the options ask: `pk=Shop&period=1d%3A1mo`, `period` in place of its own. */
  function query(options, period) {
    if (options.sealed) return `token=${encodeURIComponent(options.sealed)}`;
    const pairs = [];
    for (const name of ASKED) {
      let value = name === 'period' && period ? period : options[name];
      if (value === '' || value === null || value === undefined) continue;
      if (value === true || value === false) value = Number(value);
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      pairs.push(`${name}=${encodeURIComponent(text)}`);
    }
    return pairs.join('&');
  }

  /** Seconds between two looks: as told, else a twentieth of a bucket, within 2 and 60. */
  function refreshEvery(options, bucket_ms) {
    if (options.interval !== '') return options.interval;
    return Math.min(60, Math.max(2, Math.round(bucket_ms / 20000)));
  }

  hw.options = { DEFAULTS, PERIODS, VIEWS, BadOption, merge, fromAttributes, query, list, refreshEvery };
})(globalThis.HailWhale = globalThis.HailWhale || {});
