/* The demo: pages that send real hits from the browser and watch them being counted.
 *
 * Owns which page is shown (`/demo#ratios`), and stops the one before. Everything is counted under
 * the pk Demo.
 */

import { byId } from '../dashboard/parts.js';
import { el } from '../hailwhale/dom.js';
import { fast } from './fast.js';
import { learn } from './learn.js';
import { many } from './many.js';
import { one } from './one.js';
import { ratios } from './ratios.js';

/** @type {import('./sending.js').Page[]} */
const PAGES = [one, many, ratios, learn, fast];
const main = byId('main');
const nav = byId('pages');
let stop = () => {};

function show() {
  stop();
  const page = PAGES.find(({ name }) => `#${name}` === location.hash) || one;
  const next = PAGES[PAGES.indexOf(page) + 1];
  document.title = `${page.title} – HailWhale`;
  const links = PAGES.map(({ name, title }) => {
    const current = name === page.name ? 'page' : null;
    return el('a', { href: `#${name}`, 'aria-current': current }, title);
  });
  nav.replaceChildren(...links);
  const place = el('div', { class: 'page rise' });
  const after = el(
    'p',
    { class: 'next' },
    el('a', { class: 'quiet', href: '/#/Demo' }, 'In the dashboard'),
    next ? el('a', { class: 'quiet', href: `#${next.name}` }, `Next: ${next.title}`) : null,
  );
  main.replaceChildren(
    el('h1', {}, page.title),
    el('p', { class: 'told' }, page.told),
    ...[place, after],
  );
  stop = page.start(place);
}

addEventListener('hashchange', show);
show();
