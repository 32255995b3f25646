/* The demo: pages that send real hits from the browser and watch themselves counted.
 *
 * Owns which page is shown (`/demo#ratios`) and that the one before has stopped. A page is
 * {name, title, told, start(place) -> stop}. All that is counted here is under the pk Demo.
 */
import { el } from '../dashboard/parts.js';
import fast from './fast.js';
import learn from './learn.js';
import many from './many.js';
import one from './one.js';
import ratios from './ratios.js';

const PAGES = [one, many, ratios, learn, fast];
const main = document.getElementById('main');
const nav = document.getElementById('pages');
let stop = () => {};

function show() {
  stop();
  const page = PAGES.find(({ name }) => `#${name}` === location.hash) || one;
  document.title = `${page.title} – HailWhale`;
  nav.replaceChildren(...PAGES.map(({ name, title }) => el('a', { href: `#${name}`, 'aria-current': name === page.name ? 'page' : null }, title)));
  const place = el('div', { class: 'page rise' });
  const next = PAGES[PAGES.indexOf(page) + 1];
  main.replaceChildren(el('h1', {}, page.title), el('p', { class: 'told' }, page.told), place,
    el('p', { class: 'next' }, el('a', { class: 'quiet', href: '/#/Demo' }, 'In the dashboard'), next ? el('a', { class: 'quiet', href: `#${next.name}` }, `Next: ${next.title}`) : null));
  stop = page.start(place);
}

addEventListener('hashchange', show);
show();
