/* What to write to count, or to ask, what is on the screen: in HTML, for a shell, Python, JavaScript.
 *
 * Pure: it is given plain values and gives texts. Each text is quoted for the place it is made for,
 * so a label with quotes or markup in it is a label there, too.
 */

/** The parameters of a URL: texts as they are, the rest as JSON. */
export function parameters(fields) {
  return Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}

export function url(origin, route, fields) {
  const query = parameters(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `${origin}${route}${query ? `?${query}` : ''}`;
}

const SIGNS = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const html = (text) => text.replace(/[&<>"']/g, (sign) => SIGNS[sign]);
const shell = (text) => `'${text.replace(/'/g, "'\\''")}'`;
// JSON is JavaScript, but for what would end a script.
const javascript = (value) => JSON.stringify(value).replace(/[<\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A value as Python has it: JSON but for three words. */
export function python(value) {
  if (value === null) return 'None';
  if (value === true || value === false) return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object') return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${python(one)}`).join(', ')}}`;
  return JSON.stringify(value);
}

const curl = (origin, route, fields) => [`curl -G ${shell(`${origin}${route}`)}`,
  ...parameters(fields).map(([name, value]) => `  --data-urlencode ${shell(`${name}=${value}`)}`)].join(' \\\n');

/** A pk of one label as that label. */
const short = (pk) => (pk.length === 1 ? pk[0] : pk);

/** `{country: 'US'}` of the path country, US; deeper ones are nested; one label is itself. */
export function nested(path) {
  if (path.length < 2) return path.length ? path[0] : '';
  return path.slice(0, -1).reduceRight((below, label) => ({ [label]: below }), path[path.length - 1]);
}

/** How to count one more of what is looked at; `metrics` is {name: number}. */
export function counting(origin, { pk, within, metrics }) {
  const event = { pk: short(pk) };
  if (within.length) event.dimensions = nested(within);
  if (Object.keys(metrics).length) event.metrics = metrics;
  // A label may look like a number or JSON; as a list it is always a label.
  const asked = { ...event, pk: plain(event.pk) };
  if (typeof event.dimensions === 'string') asked.dimensions = plain(event.dimensions);
  const rest = Object.entries(event).filter(([name]) => name !== 'pk').map(([name, value]) => `, ${name}=${python(value)}`).join('');
  return {
    URL: url(origin, '/count', asked),
    Pixel: `<img src="${html(url(origin, '/count.gif', asked))}" alt="" width="1" height="1">`,
    curl: curl(origin, '/count', asked),
    Python: `from hailwhale.hail import Hail\n\nHail.count(${python(event.pk)}${rest})`,
    JavaScript: `fetch(${javascript(`${origin}/count`)}, {\n  method: 'POST',\n  keepalive: true,\n  body: JSON.stringify(${javascript(event)}),\n});`,
  };
}

/** How to see, or to ask for, what is on the screen. `look` are options of the graph alone. */
export function asking(origin, { pk, within, metric, period, depth }, look) {
  const fields = { pk: plain(short(pk)), dimensions: within.length ? JSON.stringify([within]) : '', metrics: metric, period };
  const plot = { ...fields, depth: depth ? '1' : '' };
  const seen = { ...plot, view: look.view };
  const rest = [within.length ? `, dimensions=${python([within])}` : '', `, metrics=${python([metric])}`, `, period=${python(period)}`].join('');
  return {
    Embed: `<script async src="${html(url(origin, '/graph.js', seen))}"></script>`,
    Picture: `<img src="${html(url(origin, '/graph.svg', seen))}" alt="${html([...pk, ...within, metric].join(' '))}">`,
    curl: curl(origin, '/plotpoints', plot),
    Python: `from hailwhale.whale import Whale\n\nWhale.totals(${python(short(pk))}${rest})\nWhale.plotpoints(${python(short(pk))}${rest}${depth ? ', depth=1' : ''})`,
    JavaScript: `const answer = await fetch(${javascript(url(origin, '/plotpoints', plot))});\nconst points = await answer.json();`,
  };
}

/** A label that could be taken for something else, such as 12 or [a], as a list of itself. */
function plain(value) {
  if (typeof value !== 'string') return value;
  return /^[\s\d[{"'+.-]|^(true|false|null|_)$/i.test(value) && value !== '_' ? [value] : value;
}
