/* Rank the children of a pk or a dimension: a bar for the share, the value, the change.
 *
 * The overall has a short table for each dimension and one of the child pks. A dimension has one long
 * table, which can be sorted by value, share or importance.
 */

import { cached } from '../hailwhale/cache.js';
import { el, say } from '../hailwhale/dom.js';
import { pathOf } from '../hailwhale/model.js';
import { keyOf, sumsBefore } from './before.js';
import { ask, askIfThere } from './net.js';
import { arrange, bar, card, change, number, percent } from './parts.js';
import { asked, go, leads, link, said, toPk } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./before.js').Before} Before */
/** @typedef {import('./answers.js').RankRow} RankRow */
/** @typedef {Map<string, number | null | undefined>} Sums by key */
/** @typedef {{state: State, rows: RankRow[], were: Sums}} Found */

/**
 * What a table ranks: the labels of a dimension, or pks.
 * @typedef {{title: string, of: '' | 'pks', path: string[]}} What
 */

const EVERY_S = 10;
const SHORT = 6;
const LONG = 50;
const COLUMNS = { value: 'Value', share: 'Share', importance: 'Importance' };

/** @param {import('./net.js').Lookout} lookout */
export function breakdowns(lookout) {
  const element = el('div', { class: 'breakdowns' });
  /** @type {Map<string, Board>} */
  const boards = new Map();

  /**
   * Show a table for each child dimension and for the pks; keep existing tables.
   * @param {State} state
   * @param {import('./answers.js').Known} known
   * @param {Before | null} old
   */
  function show(state, known, old) {
    const wanted = wantedBelow(state, known);
    for (const [key, board] of boards) {
      if (wanted.has(key)) continue;
      board.stop();
      boards.delete(key);
    }
    const shown = [...wanted].map(([key, what]) => {
      const long = state.within.length > 0 && !what.of;
      const make = () => new Board(what, long, lookout, { state, old });
      const board = cached(boards, key, make);
      board.show(state, old);
      return board.element;
    });
    arrange(element, shown);
  }

  return { element, show };
}

/**
 * @param {State} state
 * @param {import('./answers.js').Known} known
 * @returns {Map<string, What>}
 */
function wantedBelow(state, known) {
  /** @type {What} */
  const pks = { title: `Below ${said(state.pk)}`, of: 'pks', path: state.within };
  const paths = state.within.length ? [state.within] : known.dimensions.map((name) => [name]);
  /** @type {[string, What][]} */
  const dimensions = paths.map((path) => [
    JSON.stringify(path),
    { title: said(path), of: '', path },
  ]);
  return new Map([...dimensions, ['pks', pks]]);
}

class Board {
  /**
   * @param {What} what
   * @param {boolean} long
   * @param {import('./net.js').Lookout} lookout
   * @param {{state: State, old: Before | null}} shown
   */
  constructor({ title, of, path }, long, lookout, { state, old }) {
    this.of = of;
    this.path = path;
    this.long = long;
    this.lookout = lookout;
    this.state = state;
    this.old = old;
    /** @type {import('../hailwhale/source.js').Watch<Found> | null} */
    this.watch = null;
    this.body = el('tbody');
    /** @type {Map<string, Row>} by path, as text */
    this.rows = new Map();
    const { value, share, importance } = COLUMNS;
    this.heads = [this.head('value', value), this.head('share', share)];
    if (long) this.heads.push(this.head('importance', importance));
    this.note = el('p', { class: 'muted', hidden: true }, 'Nothing was counted in this period.');
    const heads = el(
      'tr',
      {},
      el('th', { scope: 'col' }, of ? 'pk' : 'Label'),
      ...this.heads.map((head) => head.cell),
      el('th', { scope: 'col' }, 'Change'),
    );
    const table = el('table', {}, el('thead', {}, heads), this.body);
    const { element, header } = card(
      title,
      { class: long ? 'board long' : 'board', hidden: true },
      el('div', { class: 'scrolled' }, table),
      this.note,
    );
    this.element = element;
    if (!of && !long) {
      const to = leads({ within: path, view: '' });
      header.append(el('a', { class: 'more', ...to, 'aria-label': `All of ${title}` }, 'All'));
    }
  }

  /**
   * @param {State} state
   * @param {Before | null} old
   */
  show(state, old) {
    this.state = state;
    this.old = old;
    say(this.heads[0].text, state.metric);
    for (const { cell, name } of this.heads) {
      if (name === (state.sort || 'value')) cell.setAttribute('aria-sort', 'descending');
      else cell.removeAttribute('aria-sort');
    }
    if (this.watch) this.watch.look();
    else {
      this.watch = this.lookout.every(
        EVERY_S,
        (signal) => this.look(signal),
        (found) => this.draw(found),
      );
    }
  }

  stop() {
    if (this.watch) this.watch.stop();
  }

  /**
   * @param {string} name
   * @param {string} title
   */
  head(name, title) {
    const onclick = () => go({ sort: name === 'value' ? '' : name }, true);
    const text = this.long
      ? el('button', { type: 'button', onclick }, title)
      : el('span', {}, title);
    return { name, text, cell: el('th', { scope: 'col' }, text) };
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Found>}
   */
  async look(signal) {
    const { state, old } = this;
    const where = this.of ? asked(state) : { pk: state.pk, dimensions: [this.path] };
    const fields = {
      ...where,
      of: this.of,
      metrics: state.metric,
      period: state.period,
      limit: this.long ? LONG : SHORT,
      by: this.long ? state.sort : '',
    };
    const rows = (await askIfThere('/rank', fields, signal)) || [];
    if (!rows.length || !old) return { state, rows, were: new Map() };
    return { state, rows, were: await this.before(rows, state, old, signal) };
  }

  /**
   * Return the rows' values in the previous period.
   * @param {RankRow[]} rows
   * @param {State} state
   * @param {Before} old
   * @param {AbortSignal} signal
   * @returns {Promise<Sums>}
   */
  async before(rows, state, old, signal) {
    /** @param {object} fields */
    const sums = async (fields) => {
      const requests = [state.period, old.period].map((period) =>
        ask('/graph.json', { ...fields, metrics: state.metric, period }, signal),
      );
      const [now, then] = await Promise.all(requests);
      return sumsBefore(now, then);
    };
    if (!this.of) {
      return sums({ pk: state.pk, dimensions: rows.map((row) => pathOf(row.dimension)) });
    }
    /** @type {(row: RankRow) => Promise<[string, number | null | undefined]>} */
    const ofPk = async (row) => {
      const path = pathOf(row.pk);
      const [sum] = (await sums({ ...asked(state), pk: path })).values();
      return [keyOf({ dimension: path, metric: state.metric }), sum];
    };
    return new Map(await Promise.all(rows.map(ofPk)));
  }

  /** @param {Found} found */
  draw({ state, rows, were }) {
    if (state !== this.state) return;
    this.element.hidden = !rows.length && (!this.long || this.path.length > 1);
    this.note.hidden = rows.length > 0;
    const most = Math.max(...rows.map((row) => Math.abs(row.share || 0)));
    const before = this.rows;
    this.rows = new Map(
      rows.map((row) => {
        const path = pathOf(this.of ? row.pk : row.dimension);
        const key = JSON.stringify(path);
        const made = before.get(key) || rowOf(path, this.of);
        this.fill(made, path, row, were, most);
        return [key, made];
      }),
    );
    arrange(
      this.body,
      [...this.rows.values()].map((row) => row.element),
    );
  }

  /**
   * Show the numbers of a row; its link stays, and keeps the focus.
   * @param {Row} made
   * @param {string[]} path
   * @param {RankRow} row
   * @param {Sums} were
   * @param {number} most
   */
  fill(made, path, row, were, most) {
    const then = were.get(keyOf({ dimension: path, metric: this.state.metric }));
    /** @type {(share: number | null, signed?: boolean) => HTMLElement} */
    const share = (part, signed = false) =>
      el('td', { class: 'number muted' }, part === null ? '–' : percent(part, signed));
    made.label.href = this.of ? toPk(path) : link({ within: path, view: '' });
    const [head, ...cells] = made.element.children;
    head.firstElementChild?.replaceWith(bar((row.share || 0) / (most || 1)));
    for (const cell of cells) cell.remove();
    made.element.append(
      el('td', { class: 'number' }, number(row.value)),
      share(row.share),
      ...(this.long ? [share(row.importance, true)] : []),
      el('td', { class: 'number' }, change(row.value, then, this.old?.told)),
    );
  }
}

/** @typedef {ReturnType<typeof rowOf>} Row */

/**
 * Make a row without numbers.
 * @param {string[]} path
 * @param {What['of']} of
 */
function rowOf(path, of) {
  const label = el('a', of ? {} : leads({ within: path, view: '' }), said(path.slice(-1)));
  return { label, element: el('tr', {}, el('th', { scope: 'row' }, bar(0), label)) };
}
