/* The dashboard: shows the page that the address names, and another one when the address changes.
 *
 * Controls what is on the page and the status at the top: live, no answer, or token required. Each
 * page draws its own content.
 */

import { el, say } from '../hailwhale/dom.js';
import { crumbs, explore } from './explore.js';
import { home } from './home.js';
import { keepToken, Lookout, token } from './net.js';
import { byId } from './parts.js';
import { here, said } from './state.js';

/** @typedef {import('./net.js').Fault} Fault */

const main = byId('main');
const trail = byId('crumbs');
const pulse = byId('pulse');
const notice = el('p', { class: 'notice', role: 'alert', hidden: true });
/** @type {ReturnType<typeof explore> | null} the page of a pk */
let page = null;
let stop = () => {};

/** @param {Fault | null} fault */
function trouble(fault) {
  pulse.dataset.state = fault ? 'bad' : 'good';
  say(pulse, fault ? 'No answer' : 'Live');
  if (fault && (fault.status === 401 || fault.status === 403)) {
    askForToken(fault);
    return;
  }
  notice.hidden = !fault;
  const away = fault && fault.kind === 'away';
  say(notice, away ? 'The store is unavailable. Trying again.' : fault ? fault.message : '');
}

function leave() {
  stop();
  stop = () => {};
  page = null;
}

function show() {
  const state = here();
  const { pk, within } = state;
  document.title = pk.length ? `${said([...pk, ...within])} – HailWhale` : 'HailWhale';
  trail.replaceChildren(...crumbs(state));
  if (page && page.fits(state)) {
    page.show(state);
    return;
  }
  leave();
  main.replaceChildren(notice);
  scrollTo(0, 0);
  const lookout = new Lookout(trouble);
  page = pk.length ? explore(main, lookout, state) : null;
  const end = page ? page.stop : home(main, lookout);
  stop = () => {
    lookout.stop();
    end();
  };
}

/**
 * Ask for the token of a service with tokens; it is kept as long as the tab is open.
 * @param {Fault} fault
 */
function askForToken(fault) {
  if (main.querySelector('.token')) return;
  const refused = Boolean(token());
  leave();
  const field = el('input', {
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'off',
    'aria-label': 'Token',
    placeholder: 'hw_…',
  });
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    keepToken(field.value.trim());
    show();
  };
  const why = refused ? fault.message : 'Reading requires a token with the scope read.';
  const form = el(
    'form',
    { class: 'token paper rise', onsubmit },
    el('img', { src: '/static/whale.svg', alt: '', width: 56, height: 56 }),
    el('h1', {}, 'A token, please'),
    el('p', { class: refused ? 'bad' : 'muted' }, why),
    ...[field, el('button', { type: 'submit', class: 'primary' }, 'Continue')],
  );
  main.replaceChildren(form);
  field.focus();
}

addEventListener('hashchange', show);
show();
