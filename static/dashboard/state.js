/* What is looked at, as the address has it: `#/Shop/7?in=country/US&metric=dollars&period=1d:1mo`.
 *
 * Owns the form of the address, both ways, so that a link shows what its sender saw and the browser's
 * back goes where it came from. Pure but for `go` and `here`.
 */
const VIEWS = ['line', 'area', 'stacked', 'bar', 'table', 'number'];
const FIELDS = ['metric', 'period', 'view', 'compare', 'by', 'sort', 'goal'];
export const DEFAULTS = Object.freeze({
  pk: [], // []: everything there is
  within: [], // a dimension
  metric: 'hits',
  period: 'day',
  view: '', // as suits what is shown
  compare: '1', // beside the period before
  by: '', // what a decision is decided by
  goal: '',
  sort: '', // of the breakdown: value, share or importance
});

const path = (labels) => labels.map(encodeURIComponent).join('/');
const labels = (text) => text.split('/').filter(Boolean).map(decodeURIComponent);

/** The state of an address's hash; what makes no sense in it is left out. */
export function read(hash) {
  const [where, rest = ''] = hash.replace(/^#\/?/, '').split('?');
  const state = { ...DEFAULTS };
  try {
    state.pk = labels(where);
    for (const pair of rest.split('&').filter(Boolean)) {
      const [name, value = ''] = pair.split('=');
      if (name === 'in') state.within = labels(value);
      else if (FIELDS.includes(name)) state[name] = decodeURIComponent(value);
    }
  } catch (fault) {
    if (!(fault instanceof URIError)) throw fault;
    return { ...DEFAULTS }; // a link that was cut off in the middle
  }
  if (!VIEWS.includes(state.view)) state.view = DEFAULTS.view;
  return state;
}

/** The hash of a state; what is as always is not told. */
export function write(state) {
  const told = FIELDS.filter((name) => state[name] !== DEFAULTS[name])
    .map((name) => `${name}=${encodeURIComponent(state[name]).replace(/%3A/g, ':').replace(/%2F/g, '/')}`);
  if (state.within.length) told.unshift(`in=${path(state.within)}`);
  return `#/${path(state.pk)}${told.length ? `?${told.join('&')}` : ''}`;
}

export const here = () => read(location.hash);

/** The address of what is here with some of it changed. */
export const link = (changes) => write({ ...here(), ...changes });

/** Attributes of a link to what is here with some of it changed, when it is clicked. */
export const leads = (changes) => ({
  href: link(changes),
  onclick: ({ currentTarget }) => { currentTarget.href = link(changes); },
});

/** Go there; what only looks different (`quietly`) is no new page to come back to. */
export function go(changes, quietly = false) {
  const hash = link(changes);
  if (hash === (location.hash || '#/')) return;
  if (!quietly) location.hash = hash;
  else {
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }
}

/** Another pk: the period stays, what was of the old one does not. */
export function toPk(pk) {
  const { period, compare } = here();
  return write({ ...DEFAULTS, pk, period, compare });
}

export const said = (labels) => labels.map((label) => (label === '_other' ? 'Other' : label)).join(' › ');
export const asked = (state) => ({ pk: state.pk, dimensions: state.within.length ? [state.within] : '' });
