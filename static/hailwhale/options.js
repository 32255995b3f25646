/* The options of a graph: names, defaults, how they are read, and the query that they make.
 *
 * Options come from the defaults, over them the `data-hailwhale-*` attributes, over them the call.
 * Depends on neither page nor network.
 */

/**
 * Options that are complete and checked.
 * @typedef {object} Settled
 * @property {unknown} pk
 * @property {unknown} dimensions
 * @property {unknown} metrics
 * @property {string} period
 * @property {unknown} tz
 * @property {unknown} tzoffset
 * @property {unknown} depth
 * @property {unknown} threshold
 * @property {unknown} limit
 * @property {unknown} sort
 * @property {unknown} other
 * @property {string} compare
 * @property {HailWhale.View} view
 * @property {string} title
 * @property {number} height
 * @property {string} theme
 * @property {string} locale
 * @property {boolean} smooth
 * @property {string[]} axis2
 * @property {Record<string, Intl.NumberFormatOptions> | null} formats
 * @property {HailWhale.Labels | null} labels
 * @property {Record<string, string> | null} colors
 * @property {boolean} controls
 * @property {boolean} legend
 * @property {boolean} table
 * @property {string[] | null} periods
 * @property {boolean} live
 * @property {number | ''} interval
 * @property {string} host
 * @property {string} token
 * @property {string} sealed
 * @property {NonNullable<HailWhale.Options['data']> | null} data
 */

// The parameters of /plotpoints.
const ASKED = {
  pk: '',
  dimensions: '',
  metrics: '',
  period: '1d:1mo',
  tz: '',
  tzoffset: '',
  depth: '',
  threshold: '',
  limit: '',
  sort: '',
  other: '',
};

/** @type {Readonly<Record<string, unknown>>} */
export const DEFAULTS = Object.freeze({
  ...ASKED,
  // Another period to compare with: yesterday with today.
  compare: '',
  // How it looks.
  view: 'line',
  title: '',
  height: 240,
  theme: 'auto',
  locale: '',
  smooth: true,
  // The metrics on the second axis; 'auto' and '': those of another order of magnitude.
  axis2: '',
  // By metric, options of Intl.NumberFormat.
  formats: null,
  // (series) => text, or texts by metric or label.
  labels: null,
  // By label, a CSS color.
  colors: null,
  controls: true,
  legend: true,
  table: false,
  // The periods of the picker.
  periods: null,
  live: true,
  // Seconds between two requests; '': by the width of a bucket.
  interval: '',
  host: '',
  token: '',
  sealed: '',
  // (query) => answer or a promise of one, in place of the server.
  data: null,
});

/** @type {Readonly<Record<string, string>>} */
const SINGULAR = { dimension: 'dimensions', metric: 'metrics', hwurl: 'host' };

const FLAGS = ['live', 'controls', 'legend', 'table', 'smooth'];
const OBJECTS = ['formats', 'labels', 'colors'];
const TEXTS = ['period', 'compare', 'title', 'theme', 'locale', 'token', 'sealed'];

/** @type {readonly HailWhale.View[]} */
export const VIEWS = ['line', 'area', 'stacked', 'bar', 'table', 'number'];

export const PERIODS = Object.freeze([
  'hour',
  'day',
  'today',
  'yesterday',
  'seven',
  'thirty',
  'mtd',
  'ytd',
  'year',
]);

export class BadOption extends Error {}

/**
 * Merge options over the defaults; later ones win.
 * @param {...(object | null | undefined)} given
 * @returns {Settled}
 */
export function merge(...given) {
  /** @type {Record<string, unknown>} */
  const options = { ...DEFAULTS };
  for (const some of given) {
    for (const [name, value] of Object.entries(some || {})) {
      if (value === undefined || value === null) continue;
      const known = Object.hasOwn(SINGULAR, name) ? SINGULAR[name] : name;
      if (name === 'area') {
        // As the first version's graphs were asked for.
        if (flag(name, value)) options.view = 'area';
      } else if (Object.hasOwn(DEFAULTS, known)) options[known] = value;
      else {
        throw new BadOption(
          `${name}: no such option; known are ${Object.keys(DEFAULTS).join(' ')}`,
        );
      }
    }
  }
  return settled(options);
}

/**
 * @param {Record<string, unknown>} options
 * @returns {Settled}
 */
function settled(options) {
  for (const name of FLAGS) options[name] = flag(name, options[name]);
  for (const name of OBJECTS) options[name] = parsed(name, options[name]);
  for (const name of TEXTS) options[name] = String(options[name]);
  if (!VIEWS.some((view) => view === options.view)) {
    throw new BadOption(`view: got ${options.view}; expected one of ${VIEWS.join(' ')}`);
  }
  options.height = within('height', options.height, 40, 4000);
  if (options.interval !== '') options.interval = within('interval', options.interval, 1, 86400);
  options.host = String(options.host).replace(/\/+$/, '');
  if (options.periods) options.periods = list(options.periods);
  options.axis2 = list(options.axis2);
  return /** @type {Settled} */ (options);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {number} least
 * @param {number} most
 */
function within(name, value, least, most) {
  const number = Number(value);
  if (!(number >= least && number <= most)) {
    throw new BadOption(`${name}: got ${value}; expected a number from ${least} to ${most}`);
  }
  return number;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function flag(name, value) {
  if (typeof value === 'boolean') return value;
  const word = String(value).toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  if (['0', 'false', 'no', 'off', ''].includes(word)) return false;
  throw new BadOption(`${name}: got ${value}; expected 1 or 0`);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {unknown}
 */
function parsed(name, value) {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new BadOption(`${name}: got ${value}; expected JSON`);
  }
}

/**
 * Read a list, or a comma-separated text, as a list of texts.
 * @param {unknown} value
 */
export function list(value) {
  if (Array.isArray(value)) return value.map(String);
  return String(value ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean);
}

/**
 * Read options from attributes: `data-hailwhale-pk="Shop"` is `{pk: 'Shop'}`.
 * @param {Iterable<{name: string, value: string}>} attributes
 */
export function fromAttributes(attributes) {
  /** @type {Record<string, string>} */
  const options = {};
  for (const { name, value } of attributes) {
    const found = /^data-hailwhale-(.+)$/.exec(name);
    if (found) options[found[1].replace(/-/g, '_')] = value;
  }
  return options;
}

/**
 * Return the query string for what the options ask: `pk=Shop&period=1d%3A1mo`.
 * @param {Settled} options
 * @param {string} [period] in place of the options' own
 */
export function query(options, period) {
  if (options.sealed) return `token=${encodeURIComponent(options.sealed)}`;
  const pairs = [];
  for (const name of /** @type {(keyof typeof ASKED)[]} */ (Object.keys(ASKED))) {
    let value = name === 'period' && period ? period : options[name];
    if (value === '' || value === null || value === undefined) continue;
    if (value === true || value === false) value = Number(value);
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    pairs.push(`${name}=${encodeURIComponent(text)}`);
  }
  return pairs.join('&');
}

/**
 * Return the seconds between two requests: as set, else a twentieth of a bucket within 2 and 60.
 * @param {Pick<Settled, 'interval'>} options
 * @param {number} bucket_ms
 */
export function refreshEvery(options, bucket_ms) {
  if (options.interval !== '') return options.interval;
  return Math.min(60, Math.max(2, Math.round(bucket_ms / 20000)));
}
