/* The dashboard: shows the page that the address names, and another one when the address changes.
 *
 * Owns what is on the page and what is told at the top: that it is live, that the service does not
 * answer, that it wants a token. What a page shows is the page's own.
 */
import { explore, crumbs } from './explore.js';
import { home } from './home.js';
import { keepToken, Lookout, token } from './net.js';
import { el, say } from './parts.js';
import { here, said } from './state.js';

const main = document.getElementById('main');
const trail = document.getElementById('crumbs');
const pulse = document.getElementById('pulse');
const notice = el('p', { class: 'notice', role: 'alert', hidden: true });
let page = null; // {show, fits, stop} of a pk, or {stop} of the first page
let lookout = null;

function trouble(fault) {
  pulse.dataset.state = fault ? 'bad' : 'good';
  say(pulse, fault ? 'No news' : 'Live');
  if (fault && (fault.status === 401 || fault.status === 403)) {
    askForToken(fault);
    return;
  }
  notice.hidden = !fault;
  say(notice, fault ? { away: 'The store is away. Trying again.' }[fault.kind] || fault.message : '');
}

function leave() {
  if (lookout) lookout.stop();
  if (page) page.stop();
  page = null;
}

function show() {
  const state = here();
  document.title = state.pk.length ? `${said([...state.pk, ...state.within])} – HailWhale` : 'HailWhale';
  trail.replaceChildren(...crumbs(state));
  if (page && page.fits && page.fits(state)) {
    page.show(state);
    return;
  }
  leave();
  main.replaceChildren(notice);
  scrollTo(0, 0);
  lookout = new Lookout(trouble);
  if (state.pk.length) page = explore(main, lookout, state);
  else page = { stop: home(main, lookout) };
}

/** A service with tokens: one is kept for as long as the tab is open. */
function askForToken(fault) {
  if (main.querySelector('.token')) return;
  const refused = Boolean(token());
  leave();
  const field = el('input', { type: 'password', name: 'token', required: true, autocomplete: 'off', 'aria-label': 'Token', placeholder: 'hw_…' });
  main.replaceChildren(el('form', {
    class: 'token paper rise',
    onsubmit: (event) => {
      event.preventDefault();
      keepToken(field.value.trim());
      show();
    },
  }, el('img', { src: '/static/whale.svg', alt: '', width: 56, height: 56 }), el('h1', {}, 'A token, please'),
  el('p', { class: refused ? 'bad' : 'muted' }, refused ? fault.message : 'This service shows its numbers to holders of a token that may read.'),
  field, el('button', { type: 'submit', class: 'primary' }, 'Show me')));
  field.focus();
}

addEventListener('hashchange', show);
show();
