/* What is below a pk or a dimension, ranked: a bar for the share, the value, the change since before.
 *
 * Overall there is a short table for each dimension and one of the pks below; within a dimension one
 * long table, which can be ordered by value, by share or by how much a label moves the whole.
 */
import { keyOf, sumsBefore } from './before.js';
import { ask, askIfThere } from './net.js';
import { arrange, bar, card, change, el, number, percent, say } from './parts.js';
import { asked, go, leads, link, said, toPk } from './state.js';

const EVERY_S = 10;
const SHORT = 6;
const LONG = 50;
const COLUMNS = { value: 'Value', share: 'Share', importance: 'Moves it' };

export function breakdowns(lookout) {
  const element = el('div', { class: 'breakdowns' });
  const boards = new Map();

  /** One table for each thing that is below; those that are there stay. */
  function show(state, known, old) {
    const paths = state.within.length ? [state.within] : known.dimensions.map((name) => [name]);
    const wanted = new Map(paths.map((path) => [JSON.stringify(path), { title: said(path), of: '', path }]));
    wanted.set('pks', { title: `Below ${said(state.pk)}`, of: 'pks', path: state.within });
    for (const [key, board] of boards) {
      if (wanted.has(key)) continue;
      board.watch.stop();
      boards.delete(key);
    }
    for (const [key, what] of wanted) {
      const long = state.within.length > 0 && !what.of;
      if (!boards.has(key)) boards.set(key, new Board(what, long, lookout));
      boards.get(key).show(state, old);
    }
    arrange(element, [...wanted.keys()].map((key) => boards.get(key).element));
  }

  return { element, show };
}

class Board {
  constructor(what, long, lookout) {
    Object.assign(this, what, { long, lookout, watch: null });
    this.body = el('tbody', {});
    this.rows = new Map(); // by path, as text
    this.heads = Object.fromEntries(Object.keys(long ? COLUMNS : { value: '', share: '' }).map((name) => [name, this.head(name)]));
    this.note = el('p', { class: 'muted', hidden: true }, 'Nothing below in this period.');
    const link_up = !what.of && !long ? el('a', { class: 'more', ...leads({ within: what.path, view: '' }), 'aria-label': `All of ${what.title}` }, 'All') : null;
    this.element = card(what.title, { class: long ? 'board long' : 'board', hidden: true }, el('div', { class: 'scrolled' }, el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, what.of ? 'pk' : 'Label'), ...Object.values(this.heads), el('th', { scope: 'col' }, 'Change'))), this.body)), this.note);
    if (link_up) this.element.firstChild.append(link_up);
  }

  show(state, old) {
    Object.assign(this, { state, old });
    say(this.heads.value.firstChild, state.metric);
    for (const [name, head] of Object.entries(this.heads)) {
      if (name === (state.sort || 'value')) head.setAttribute('aria-sort', 'descending');
      else head.removeAttribute('aria-sort');
    }
    if (this.watch) this.watch.look();
    else this.watch = this.lookout.every(EVERY_S, (signal) => this.look(signal), (answer) => this.draw(answer));
  }

  head(name) {
    return el('th', { scope: 'col' }, this.long ? el('button', { type: 'button', onclick: () => go({ sort: name === 'value' ? '' : name }, true) }, COLUMNS[name]) : el('span', {}, COLUMNS[name]));
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
    const before = this.rows;
    this.rows = new Map(rows.map((row) => {
      const path = pathOf(this.of ? row.pk : row.dimension);
      const key = JSON.stringify(path);
      const made = before.get(key) || el('tr', {}, el('th', { scope: 'row' }, bar(0), el('a', this.of ? {} : leads({ within: path, view: '' }), said(path.slice(-1)))));
      this.fill(made, path, row, were, most);
      return [key, made];
    }));
    arrange(this.body, [...this.rows.values()]);
  }

  /** Tell the numbers of a row; its link stays, and with it a focus that it has. */
  fill(made, path, row, were, most) {
    const [head, ...cells] = made.children;
    const then = were.get(keyOf({ dimension: path, metric: this.state.metric }));
    head.firstChild.replaceWith(bar(row.share / (most || 1)));
    head.lastChild.href = this.of ? toPk(path) : link({ within: path, view: '' });
    cells.forEach((cell) => cell.remove());
    made.append(...[el('td', { class: 'number' }, number(row.value)),
      el('td', { class: 'number muted' }, row.share === null ? '–' : percent(row.share)),
      this.long ? el('td', { class: 'number muted' }, row.importance === null ? '–' : percent(row.importance, true)) : null,
      el('td', { class: 'number' }, change(row.value, then, this.old ? this.old.told : ''))].filter(Boolean));
  }
}

const pathOf = (written) => globalThis.HailWhale.model.pathOf(written);
