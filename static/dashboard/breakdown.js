/* What is below a pk or a dimension, ranked: a bar for the share, the value, the change since before.
 *
 * Overall there is a short table for each dimension and one of the pks below; within a dimension one
 * long table, which can be ordered by value, by share or by how much a label moves the whole.
 */
import { keyOf, sumsBefore } from './before.js';
import { ask, askIfThere } from './net.js';
import { bar, card, change, el, number, percent } from './parts.js';
import { asked, go, leads, said, toPk } from './state.js';

const EVERY_S = 10;
const SHORT = 6;
const LONG = 50;
const COLUMNS = { value: 'Value', share: 'Share', importance: 'Moves it' };

export function breakdowns(lookout) {
  const element = el('div', { class: 'breakdowns' });
  const boards = new Map();

  /** One table for each thing that is below; those that are there stay. */
  function show(state, known, old) {
    const wanted = new Map([['pks', { title: `Below ${said(state.pk)}`, of: 'pks', path: state.within }]]);
    const paths = state.within.length ? [state.within] : known.dimensions.map((name) => [name]);
    for (const path of paths) wanted.set(JSON.stringify(path), { title: said(path), of: '', path });
    for (const [key, board] of boards) {
      if (wanted.has(key)) continue;
      board.watch.stop();
      board.element.remove();
      boards.delete(key);
    }
    for (const [key, what] of wanted) {
      const long = state.within.length > 0 && !what.of;
      if (!boards.has(key)) boards.set(key, new Board(what, long, lookout));
      const board = boards.get(key);
      if (what.of) element.append(board.element);
      else element.insertBefore(board.element, boards.has('pks') ? boards.get('pks').element : null);
      board.show(state, old);
    }
  }

  return { element, show };
}

class Board {
  constructor(what, long, lookout) {
    Object.assign(this, what, { long, lookout, watch: null });
    this.body = el('tbody', {});
    this.head = el('tr', {});
    this.note = el('p', { class: 'muted', hidden: true }, 'Nothing below in this period.');
    const link_up = !what.of && !long ? el('a', { class: 'more', ...leads({ within: what.path, view: '' }), 'aria-label': `All of ${what.title}` }, 'All') : null;
    this.element = card(what.title, { class: long ? 'board long' : 'board', hidden: true }, el('div', { class: 'scrolled' }, el('table', {}, el('thead', {}, this.head), this.body)), this.note);
    if (link_up) this.element.firstChild.append(link_up);
  }

  show(state, old) {
    Object.assign(this, { state, old });
    this.head.replaceChildren(...this.heads());
    if (this.watch) this.watch.look();
    else this.watch = this.lookout.every(EVERY_S, (signal) => this.look(signal), (answer) => this.draw(answer));
  }

  heads() {
    const by = this.state.sort || 'value';
    const head = (name, text) => el('th', { scope: 'col', 'aria-sort': by === name ? 'descending' : null },
      this.long ? el('button', { type: 'button', onclick: () => go({ sort: name === 'value' ? '' : name }, true) }, text) : el('span', {}, text));
    const shown = this.long ? COLUMNS : { value: this.state.metric, share: 'Share' };
    return [el('th', { scope: 'col' }, this.of ? 'pk' : 'Label'), ...Object.entries(shown).map(([name, text]) => head(name, name === 'value' ? this.state.metric : text)),
      el('th', { scope: 'col' }, 'Change')];
  }

  async look(signal) {
    const { state, old } = this;
    const where = this.of ? asked(state) : { pk: state.pk, dimensions: [this.path] };
    const by = this.long ? state.sort : '';
    const rows = await askIfThere('/rank', { ...where, of: this.of, metrics: state.metric, period: state.period, limit: this.long ? LONG : SHORT, by }, signal);
    if (!rows || !rows.length) return { state, rows: [], were: new Map() };
    return { state, rows, were: old ? await this.before(rows, signal) : new Map() };
  }

  /** What the rows came to in the period before, by path. */
  async before(rows, signal) {
    const { state, old } = this;
    if (this.of) return new Map(await Promise.all(rows.map((row) => this.pkBefore(pathOf(row.pk), signal))));
    const fields = { pk: state.pk, dimensions: rows.map((row) => pathOf(row.dimension)), metrics: state.metric };
    const [now, then] = await Promise.all([state.period, old.period].map((period) => ask('/graph.json', { ...fields, period }, signal)));
    return sumsBefore(now, then);
  }

  async pkBefore(path, signal) {
    const { state, old } = this;
    const fields = { ...asked(state), pk: path, metrics: state.metric };
    const [now, then] = await Promise.all([state.period, old.period].map((period) => ask('/graph.json', { ...fields, period }, signal)));
    const [sum] = sumsBefore(now, then).values();
    return [keyOf({ dimension: path, metric: state.metric }), sum];
  }

  draw({ state, rows, were }) {
    if (state !== this.state) return;
    this.element.hidden = !rows.length && (!this.long || this.path.length > 1);
    this.note.hidden = rows.length > 0;
    const most = Math.max(...rows.map((row) => Math.abs(row.share || 0)));
    this.body.replaceChildren(...rows.map((row) => this.row(row, were, most)));
  }

  row(row, were, most) {
    const path = pathOf(this.of ? row.pk : row.dimension);
    const where = this.of ? { href: toPk(path) } : leads({ within: path, view: '' });
    const then = were.get(keyOf({ dimension: path, metric: this.state.metric }));
    return el('tr', {}, el('th', { scope: 'row' }, bar(row.share / (most || 1)), el('a', where, said(path.slice(-1)))),
      el('td', { class: 'number' }, number(row.value)),
      el('td', { class: 'number muted' }, row.share === null ? '–' : percent(row.share)),
      this.long ? el('td', { class: 'number muted' }, row.importance === null ? '–' : percent(row.importance, true)) : null,
      el('td', { class: 'number' }, change(row.value, then, this.old ? this.old.told : '')));
  }
}

const pathOf = (written) => globalThis.HailWhale.model.pathOf(written);
