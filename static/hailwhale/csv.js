/* What a graph shows as CSV, for a spreadsheet, with no text in it that a spreadsheet would run. Pure. */
(function (hw) {
  'use strict';

  /** The rows of a model: a header, then a bucket each, its start as ISO 8601 in UTC. */
  function rows(model, names, hidden) {
    const shown = model.series.filter((one) => !hidden.has(one.key));
    const header = [model.names ? 'name' : 'time', ...shown.map((one) => names.get(one.key))];
    const lines = model.starts.map((start_ms, at) => [
      model.names ? model.names[at] : new Date(start_ms).toISOString().replace('.000Z', 'Z'),
      ...shown.map((one) => one.values[at]),
    ]);
    return [header, ...lines];
  }

  /** Rows as text; lines end as RFC 4180 wants it. */
  function written(table) {
    return table.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
  }

  function cell(value) {
    if (typeof value === 'number') return String(value);
    // As a cell begins, and behind a semicolon, which parts cells where the comma is the decimal point.
    const text = (value === null || value === undefined ? '' : String(value))
      .replace(/(^|;)(?=[ "]*[=+\-@\t\r＝＋－＠])/g, "$1'");
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  }

  /** A file's name from any title. */
  function fileName(title, ending) {
    const base = title.normalize('NFKC').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
    return `${base.slice(0, 60) || 'hailwhale'}.${ending}`;
  }

  hw.csv = { rows, written, fileName };
})(globalThis.HailWhale = globalThis.HailWhale || {});
