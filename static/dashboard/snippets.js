/* What to write to count, or to ask, what is on the screen: in HTML, for a shell, Python, JavaScript.
 *
 * Pure: it takes plain values and returns texts. Each text is quoted for the place it is made for,
 * so that a label with quotes or markup in it stays a label.
 */

/** @typedef {import('./state.js').State} State */
/** @typedef {Record<string, unknown>} Fields */
/** @typedef {Readonly<Record<string, string>>} Texts by the name of their tab */

/**
 * Return the parameters of a URL: texts as they are, the rest as JSON.
 * @param {Fields} fields
 * @returns {[string, string][]}
 */
export function parameters(fields) {
  return Object.entries(fields)
    .filter(([, value]) => value !== '' && value !== undefined)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}

/**
 * @param {string} origin
 * @param {string} route
 * @param {Fields} fields
 */
export function url(origin, route, fields) {
  const pairs = parameters(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${origin}${route}${pairs.length ? `?${pairs.join('&')}` : ''}`;
}

/** @type {Texts} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** @param {string} text */
const html = (text) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
/** @param {string} text */
const shell = (text) => `'${text.replace(/'/g, "'\\''")}'`;
/** @param {string} character */
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
/**
 * Write a value as JavaScript: JSON, with what would end a script escaped.
 * @param {unknown} value
 */
const javascript = (value) => JSON.stringify(value).replace(/[<\u2028\u2029]/g, escaped);

/**
 * Write a value as Python: JSON with three words replaced.
 * @param {unknown} value
 * @returns {string}
 */
export function python(value) {
  if (value === null) return 'None';
  if (value === true || value === false) return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(
      ([key, one]) => `${JSON.stringify(key)}: ${python(one)}`,
    );
    return `{${pairs.join(', ')}}`;
  }
  return JSON.stringify(value);
}

/**
 * @param {string} origin
 * @param {string} route
 * @param {Fields} fields
 */
const curl = (origin, route, fields) =>
  [
    `curl -G ${shell(`${origin}${route}`)}`,
    ...parameters(fields).map(([name, value]) => `  --data-urlencode ${shell(`${name}=${value}`)}`),
  ].join(' \\\n');

/**
 * Return a pk of one label as that label.
 * @param {string[]} pk
 */
const short = (pk) => (pk.length === 1 ? pk[0] : pk);

/**
 * Return `{country: 'US'}` for the path country, US; deeper paths are nested, one label is itself.
 * @param {string[]} path
 * @returns {string | object}
 */
export function nested(path) {
  if (path.length < 2) return path.length ? path[0] : '';
  const last = path[path.length - 1];
  return path
    .slice(0, -1)
    .reduceRight((/** @type {string | object} */ below, label) => ({ [label]: below }), last);
}

/**
 * Return how to count one more of what is looked at.
 * @param {string} origin
 * @param {{pk: string[], within: string[], metrics: Record<string, number>}} what
 * @returns {Texts}
 */
export function counting(origin, { pk, within, metrics }) {
  /** @type {Fields} */
  const event = { pk: short(pk) };
  if (within.length) event.dimensions = nested(within);
  if (Object.keys(metrics).length) event.metrics = metrics;
  // A label may look like a number or JSON; as a list it is always a label.
  /** @type {Fields} */
  const asked = { ...event, pk: plain(event.pk) };
  if (typeof event.dimensions === 'string') asked.dimensions = plain(event.dimensions);
  const { pk: first, ...rest } = event;
  const more = Object.entries(rest).map(([name, value]) => `, ${name}=${python(value)}`);
  const to = javascript(`${origin}/count`);
  const body = `JSON.stringify(${javascript(event)})`;
  return {
    URL: url(origin, '/count', asked),
    Pixel: `<img src="${html(url(origin, '/count.gif', asked))}" alt="" width="1" height="1">`,
    curl: curl(origin, '/count', asked),
    Python: `from hailwhale.hail import Hail\n\nHail.count(${python(first)}${more.join('')})`,
    JavaScript: `fetch(${to}, {\n  method: 'POST',\n  keepalive: true,\n  body: ${body},\n});`,
  };
}

/**
 * Return how to see, or to ask for, what is on the screen.
 * @param {string} origin
 * @param {Pick<State, 'pk' | 'within' | 'metric' | 'period'> & {depth: number}} what
 * @param {{view: string}} look options of the graph alone
 * @returns {Texts}
 */
export function asking(origin, { pk, within, metric, period, depth }, look) {
  const dimensions = within.length ? JSON.stringify([within]) : '';
  const fields = { pk: plain(short(pk)), dimensions, metrics: metric, period };
  const plot = { ...fields, depth: depth ? '1' : '' };
  const seen = { ...plot, view: look.view };
  const rest = [
    python(short(pk)),
    ...(within.length ? [`dimensions=${python([within])}`] : []),
    `metrics=${python([metric])}`,
    `period=${python(period)}`,
  ].join(', ');
  const alt = html([...pk, ...within, metric].join(' '));
  const to = javascript(url(origin, '/plotpoints', plot));
  return {
    Embed: `<script async src="${html(url(origin, '/graph.js', seen))}"></script>`,
    Picture: `<img src="${html(url(origin, '/graph.svg', seen))}" alt="${alt}">`,
    curl: curl(origin, '/plotpoints', plot),
    Python:
      `from hailwhale.whale import Whale\n\nWhale.totals(${rest})\n` +
      `Whale.plotpoints(${rest}${depth ? ', depth=1' : ''})`,
    JavaScript: `const answer = await fetch(${to});\nconst points = await answer.json();`,
  };
}

/**
 * Return a label that could be taken for something else, such as 12 or [a], as a list of itself.
 * @param {unknown} value
 */
function plain(value) {
  if (typeof value !== 'string' || value === '_') return value;
  return /^[\s\d[{"'+.-]|^(true|false|null)$/i.test(value) ? [value] : value;
}
