/* The small things that the dashboard is made of: badges, sparklines, bars, buttons that copy.
 *
 * Labels are data: they come in as text and go out as text. Styles are set by property, which a
 * strict policy allows.
 */
const { dom, formats, model } = globalThis.HailWhale;
export const { el, say } = dom;
export const number = (value) => formats.number(value, '');
export const percent = (share, signed) => formats.percent(share, '', signed);

const MANY = 10; // from so many times more on it is told as times, not as per cent
const SVG = 'http://www.w3.org/2000/svg';

export function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** How much it changed: `+12 %`, or nothing where nothing was. `good` tells which way is. */
export function change(now, then, told = '', good = 1) {
  const share = then === null || then === undefined ? null : model.change(now, then);
  const badge = el('span', { class: 'change' });
  if (share === null) return badge;
  const way = Math.sign(Math.round(share * 1000)) * good;
  const size = share >= MANY ? `×${number(Math.round(share + 1))}` : percent(Math.abs(share));
  badge.classList.add(way > 0 ? 'good' : way < 0 ? 'bad' : 'muted');
  badge.title = `${number(then)} ${told}`.trim();
  say(badge, `${way * good > 0 ? '▲' : way * good < 0 ? '▼' : '■'} ${size}`);
  return badge;
}

/** A sparkline of some values, and as a ghost those it is compared with. */
export function spark(values, ghost = []) {
  const [width, height] = [300, 56];
  const most = Math.max(...values, ...ghost, 0);
  const least = Math.min(...values, ...ghost, 0);
  const x = (at) => (at * width) / Math.max(1, values.length - 1);
  const y = (value) => 3 + ((height - 6) * (most - value)) / (most - least || 1);
  const line = (points) => points.map((value, at) => `${at ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const drawn = [svg('path', { class: 'area', d: `${line(values)}L${width} ${y(0).toFixed(1)}L0 ${y(0).toFixed(1)}Z` }), svg('path', { class: 'now', d: line(values) })];
  if (ghost.length) drawn.unshift(svg('path', { class: 'ghost', d: line(ghost) }));
  return svg('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...drawn);
}

/** A share as a bar behind something. */
export function bar(share) {
  const width = Math.max(0, Math.min(1, Math.abs(share || 0)));
  return el('i', { class: share < 0 ? 'bar minus' : 'bar', style: { '--share': `${(width * 100).toFixed(2)}%` } });
}

/** A button that copies what `text()` gives. */
export function copyButton(text, name = 'Copy') {
  const button = el('button', {
    type: 'button',
    class: 'copy',
    onclick: async () => {
      const done = await copied(text());
      say(button, done ? 'Copied' : 'Press Ctrl+C');
      setTimeout(() => say(button, name), 1600);
    },
  }, name);
  return button;
}

/** Copy; on pages without the modern way to (no HTTPS) by the old one. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (fault) {
    const field = el('textarea', { class: 'sr', readonly: true, style: { 'white-space': 'pre' } });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** A section with a heading. */
export function card(title, attributes = {}, ...children) {
  const { class: more = '', ...rest } = attributes;
  return el('section', { class: `paper ${more}`.trim(), ...rest }, el('header', {}, el('h2', {}, title)), ...children);
}

/** Show these children, in this order. While one of them has the focus, those that are there keep
 * their places and new ones come last: a list does not move under somebody who tabs through it.
 */
export function arrange(parent, children) {
  if (!parent.contains(document.activeElement)) {
    parent.replaceChildren(...children);
    return;
  }
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) remove(child);
  parent.append(...children.filter((child) => child.parentNode !== parent));
}

/** Remove an element of a list; a focus that it has goes to the one next to it. */
export function remove(element) {
  const next = element.nextElementSibling || element.previousElementSibling;
  if (next && element.contains(document.activeElement)) (next.querySelector('a, button') || next).focus();
  element.remove();
}

/** How long ago, in words. */
export function ago(at_s, now_s) {
  const gone = Math.max(0, Math.round(now_s - at_s));
  if (gone < 2) return 'now';
  if (gone < 60) return `${gone} s`;
  if (gone < 3600) return `${Math.floor(gone / 60)} min`;
  if (gone < 86400) return `${Math.floor(gone / 3600)} h`;
  return `${Math.floor(gone / 86400)} d`;
}
