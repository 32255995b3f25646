/* The small parts that the dashboard is made of: badges, sparklines, bars, copy buttons.
 *
 * Labels are data: they are set as text. Styles are set by property, which a strict
 * Content-Security-Policy allows.
 */

import { el, say, svg } from '../hailwhale/dom.js';
import { number as numberIn, percent as percentIn } from '../hailwhale/formats.js';
import { change as share } from '../hailwhale/model.js';

/**
 * Return the element of the page with an id.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** @param {number | null | undefined} value */
export const number = (value) => numberIn(value, '');
/** @type {(part: number, signed?: boolean) => string} */
export const percent = (part, signed = false) => percentIn(part, '', signed);

const MANY = 10; // a larger change is written as a multiple, not as a percentage

/**
 * Make a badge of the change, `▲ 12 %`; it is empty where nothing was.
 * @param {number | null} now
 * @param {number | null | undefined} then
 * @param {string} [told] what `then` is
 */
export function change(now, then, told = '') {
  const part = share(now, then ?? null);
  const badge = el('span', { class: 'change' });
  if (part === null) return badge;
  const way = Math.sign(Math.round(part * 1000));
  const size = part >= MANY ? `×${number(Math.round(part + 1))}` : percent(Math.abs(part));
  badge.classList.add(way > 0 ? 'good' : way < 0 ? 'bad' : 'muted');
  badge.title = `${number(then)} ${told}`.trim();
  say(badge, `${way > 0 ? '▲' : way < 0 ? '▼' : '■'} ${size}`);
  return badge;
}

/**
 * Make a sparkline of values and, as a ghost, those they are compared with; null counts as 0.
 * @param {(number | null)[]} given
 * @param {(number | null)[]} [before]
 */
export function spark(given, before = []) {
  const [values, ghost] = [given, before].map((some) => some.map((value) => value ?? 0));
  const [width, height] = [300, 56];
  const most = Math.max(...values, ...ghost, 0);
  const least = Math.min(...values, ...ghost, 0);
  /** @param {number} at */
  const x = (at) => ((at * width) / Math.max(1, values.length - 1)).toFixed(1);
  /** @param {number} value */
  const y = (value) => (3 + ((height - 6) * (most - value)) / (most - least || 1)).toFixed(1);
  /** @param {number[]} points */
  const line = (points) =>
    points.map((value, at) => `${at ? 'L' : 'M'}${x(at)} ${y(value)}`).join('');
  const area = `${line(values)}L${width} ${y(0)}L0 ${y(0)}Z`;
  const drawn = [
    svg('path', { class: 'area', d: area }),
    svg('path', { class: 'now', d: line(values) }),
  ];
  if (ghost.length) drawn.unshift(svg('path', { class: 'ghost', d: line(ghost) }));
  const box = { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none' };
  return svg('svg', { class: 'spark', ...box, 'aria-hidden': 'true' }, ...drawn);
}

/**
 * Make a bar for a share, to be put behind something.
 * @param {number | null} part
 */
export function bar(part) {
  const width = Math.max(0, Math.min(1, Math.abs(part || 0)));
  return el('i', {
    class: Number(part) < 0 ? 'bar minus' : 'bar',
    style: { '--share': `${(width * 100).toFixed(2)}%` },
  });
}

/**
 * Make a button that copies what `text()` returns.
 * @param {() => string} text
 */
export function copyButton(text, name = 'Copy') {
  const onclick = async () => {
    const done = await copied(text());
    say(button, done ? 'Copied' : 'Press Ctrl+C');
    setTimeout(() => say(button, name), 1600);
  };
  const button = el('button', { type: 'button', class: 'copy', onclick }, name);
  return button;
}

/**
 * Copy a text; on pages without HTTPS in the old way, for they have no clipboard.
 * @param {string} text
 */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const style = { 'white-space': 'pre' };
    const field = el('textarea', { class: 'sr', readonly: true, style });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/**
 * Make a section with a heading, and return both.
 * @param {string} title
 * @param {import('../hailwhale/dom.js').Attributes} attributes
 * @param {...import('../hailwhale/dom.js').Child} children
 */
export function card(title, attributes, ...children) {
  const { class: more = '', ...rest } = attributes;
  const header = el('header', {}, el('h2', {}, title));
  const shown = { class: `paper ${more}`.trim(), ...rest };
  return { element: el('section', shown, header, ...children), header };
}

/**
 * Show children in this order. While one of them has the focus, those that are there keep their
 * places and new ones come last: a list does not move while a reader tabs through it.
 * @param {HTMLElement} parent
 * @param {Element[]} children
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

/**
 * Remove an element of a list; if it has the focus, the one next to it gets it.
 * @param {Element} element
 */
export function remove(element) {
  const next = element.nextElementSibling || element.previousElementSibling;
  if (next && element.contains(document.activeElement)) {
    const focused = next.querySelector('a, button') || next;
    if (focused instanceof HTMLElement) focused.focus();
  }
  element.remove();
}

/**
 * Write how long ago a time is.
 * @param {number} at_s
 * @param {number} now_s
 */
export function ago(at_s, now_s) {
  const gone = Math.max(0, Math.round(now_s - at_s));
  if (gone < 2) return 'now';
  if (gone < 60) return `${gone} s`;
  if (gone < 3600) return `${Math.floor(gone / 60)} min`;
  if (gone < 86400) return `${Math.floor(gone / 3600)} h`;
  return `${Math.floor(gone / 86400)} d`;
}
