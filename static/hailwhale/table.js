/* The numbers as a table: behind every chart for those who read it so, in front where it is asked for.
 *
 * The cells stay when numbers change: what a reader has under the finger does not go away.
 */
(function (hw) {
  'use strict';

  const { el, say } = hw.dom;
  const HIDDEN_MOST = 3000; // cells of a table that nobody sees; more are made when it is shown

  class Table {
    constructor() {
      this.caption = el('caption');
      this.body = el('table', {}, this.caption);
      this.element = el('div', { class: 'data', tabindex: '0', role: 'region' }, this.body);
      this.shape = '';
      this.cells = [];
    }

    /** Show the lines that `made()` gives, heads first and totals last; `seen` if it is looked at.
     * What nobody looks at is not made when it is more than `HIDDEN_MOST` of `cells`. */
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
      lines.forEach((line, row) => line.forEach((text, column) => say(this.cells[row][column], text)));
    }

    rebuild(shape, lines) {
      this.shape = shape;
      this.cells = lines.map((line, row) => line.map((_, column) => {
        if (row === 0) return el('th', { scope: 'col' });
        return column === 0 ? el('th', { scope: 'row' }) : el('td');
      }));
      const rows = this.cells.map((cells) => el('tr', {}, ...cells));
      this.body.replaceChildren(this.caption, el('thead', {}, rows[0]), el('tbody', {}, ...rows.slice(1, -1)), el('tfoot', {}, rows[rows.length - 1]));
    }
  }

  /** The lines of a model, the newest bucket at the bottom, totals in the foot. */
  function linesOf(model, names, locale, written) {
    return [
      [model.names ? '' : `Time (${model.tz})`, ...model.series.map((one) => names.get(one.key))],
      ...model.starts.map((_, at) => [hw.formats.place(model, at, locale), ...model.series.map((one) => written(one.values[at], one.metric))]),
      ['Total', ...model.series.map((one) => written(one.total, one.metric))],
    ];
  }

  hw.Table = Table;
  hw.linesOf = linesOf;
})(globalThis.HailWhale = globalThis.HailWhale || {});
