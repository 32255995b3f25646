/* The numbers as a table: visible in the view "table", else hidden for screen readers.
 *
 * The cells stay when numbers change, so a reader keeps the place.
 */

import { el, say } from './dom.js';
import { place } from './formats.js';

const HIDDEN_MOST = 3000; // cells of a table that nobody sees; more are made when it is shown

export class DataTable {
  constructor() {
    this.caption = el('caption');
    this.body = el('table', {}, this.caption);
    this.element = el('div', { class: 'data', tabindex: '0', role: 'region' }, this.body);
    this.shape = '';
    /** @type {HTMLTableCellElement[][]} */
    this.cells = [];
  }

  /**
   * Show the lines that `made()` returns, heads first and totals last.
   *
   * A table that is not `seen` is not made when it has more than `HIDDEN_MOST` cells.
   * @param {string} title
   * @param {number} cells
   * @param {boolean} seen
   * @param {() => string[][]} made
   */
  draw(title, cells, seen, made) {
    this.element.classList.toggle('sr', !seen);
    this.element.tabIndex = seen ? 0 : -1;
    this.element.setAttribute('aria-label', title);
    if (!seen && cells > HIDDEN_MOST) {
      this.shape = '';
      this.cells = [];
      this.body.replaceChildren(this.caption);
      say(this.caption, `${title}: ${cells} numbers; choose the view "Table" to read them.`);
      return;
    }
    say(this.caption, title);
    const lines = made();
    const shape = `${lines.length}x${lines[0].length}`;
    if (shape !== this.shape) this.rebuild(shape, lines);
    lines.forEach((line, row) =>
      line.forEach((text, column) => say(this.cells[row][column], text)),
    );
  }

  /**
   * @param {string} shape
   * @param {string[][]} lines
   */
  rebuild(shape, lines) {
    this.shape = shape;
    this.cells = lines.map((line, row) =>
      line.map((_, column) => {
        if (row === 0) return el('th', { scope: 'col' });
        return column === 0 ? el('th', { scope: 'row' }) : el('td');
      }),
    );
    const rows = this.cells.map((cells) => el('tr', {}, ...cells));
    const foot = rows[rows.length - 1];
    this.body.replaceChildren(
      this.caption,
      el('thead', {}, rows[0]),
      el('tbody', {}, ...rows.slice(1, -1)),
      el('tfoot', {}, foot),
    );
  }
}

/**
 * Return the lines of a model: heads, buckets with the newest last, totals.
 * @param {HailWhale.Model} model
 * @param {Map<string, string>} names
 * @param {string} locale
 * @param {(value: number | null, metric: string) => string} written
 */
export function linesOf(model, names, locale, written) {
  const { series } = model;
  return [
    [model.names ? '' : `Time (${model.tz})`, ...series.map((one) => names.get(one.key) || '')],
    ...model.starts.map((_, at) => [
      place(model, at, locale),
      ...series.map((one) => written(one.values[at], one.metric)),
    ]),
    ['Total', ...series.map((one) => written(one.total, one.metric))],
  ];
}
