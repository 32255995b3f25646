/* What is looked at, as the address has it: `#/Shop/7?in=country/US&metric=dollars&period=1d:1mo`.
 *
 * Owns the form of the address, both ways, so that a link shows what its sender saw and the browser's
 * back button works. Pure but for `go` and `here`.
 */

import { pathOf } from '../hailwhale/model.js';

/**
 * @typedef {object} State
 * @property {string[]} pk []: everything there is
 * @property {string[]} within a dimension
 * @property {string} metric
 * @property {string} period
 * @property {HailWhale.View | ''} view '': as suits what is shown
 * @property {string} compare '1': with the period before
 * @property {string} by the metric of a decision
 * @property {string} goal
 * @property {string} sort of the breakdown: value, share or importance
 */

/** @type {readonly HailWhale.View[]} */
const VIEWS = ['line', 'area', 'stacked', 'bar', 'table', 'number'];
const FIELDS = /** @type {const} */ (['metric', 'period', 'view', 'compare', 'by', 'sort', 'goal']);
/** @type {Readonly<State>} */
export const DEFAULTS = Object.freeze({
  pk: [],
  within: [],
  metric: 'hits',
  period: 'day',
  view: '',
  compare: '1',
  by: '',
  goal: '',
  sort: '',
});

/**
 * Parse names as /known writes them: those that look like JSON are in lists.
 * @param {string[]} written
 * @returns {string[]}
 */
export const namesOf = (written) => written.map((each) => pathOf(each)[0]);

/** @param {string[]} labels */
const path = (labels) => labels.map(encodeURIComponent).join('/');
/** @param {string} text */
const labels = (text) => text.split('/').filter(Boolean).map(decodeURIComponent);

/**
 * Return the state of an address's hash, without what makes no sense in it.
 * @param {string} hash
 * @returns {State}
 */
export function read(hash) {
  const [where, rest = ''] = hash.replace(/^#\/?/, '').split('?');
  const state = { ...DEFAULTS };
  try {
    state.pk = labels(where);
    for (const pair of rest.split('&').filter(Boolean)) {
      const [name, value = ''] = pair.split('=');
      const field = FIELDS.find((one) => one === name);
      if (name === 'in') state.within = labels(value);
      else if (field === 'view') {
        state.view = VIEWS.find((view) => view === decodeURIComponent(value)) || '';
      } else if (field) state[field] = decodeURIComponent(value);
    }
  } catch (fault) {
    if (!(fault instanceof URIError)) throw fault;
    return { ...DEFAULTS }; // a truncated link
  }
  return state;
}

/**
 * Return the hash of a state, without what is as by default.
 * @param {State} state
 */
export function write(state) {
  const told = FIELDS.filter((name) => state[name] !== DEFAULTS[name]).map((name) => {
    const text = encodeURIComponent(state[name]).replace(/%3A/g, ':').replace(/%2F/g, '/');
    return `${name}=${text}`;
  });
  if (state.within.length) told.unshift(`in=${path(state.within)}`);
  return `#/${path(state.pk)}${told.length ? `?${told.join('&')}` : ''}`;
}

export const here = () => read(location.hash);

/**
 * Return the address of the current state with some changes.
 * @param {Partial<State>} changes
 */
export const link = (changes) => write({ ...here(), ...changes });

/**
 * Return the attributes of a link to the state at the time of the click, with some changes.
 * @param {Partial<State>} changes
 */
export const leads = (changes) => ({
  href: link(changes),
  onclick: (/** @type {MouseEvent} */ { currentTarget }) => {
    if (currentTarget instanceof HTMLAnchorElement) currentTarget.href = link(changes);
  },
});

/**
 * Go to the current state with some changes; `quietly` leaves no page to come back to.
 * @param {Partial<State>} changes
 */
export function go(changes, quietly = false) {
  const hash = link(changes);
  if (hash === (location.hash || '#/')) return;
  if (!quietly) location.hash = hash;
  else {
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }
}

/**
 * Return the address of another pk: the period stays, the rest belongs to the old one.
 * @param {string[]} pk
 */
export function toPk(pk) {
  const { period, compare } = here();
  return write({ ...DEFAULTS, pk, period, compare });
}

/** @param {string[]} path */
export const said = (path) =>
  path.map((label) => (label === '_other' ? 'Other' : label)).join(' › ');

/**
 * Return the parameters that name what is looked at.
 * @param {Pick<State, 'pk' | 'within'>} state
 */
export const asked = (state) => ({
  pk: state.pk,
  dimensions: state.within.length ? [state.within] : '',
});
