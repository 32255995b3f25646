/* The numbers of a graph as CSV, with no text in it that a spreadsheet would run. Pure. */

/** @typedef {string | number | null | undefined} Cell */

/**
 * Return the rows of a model: a header, then one per bucket, its start as ISO 8601 in UTC.
 * @param {HailWhale.Model} model
 * @param {Map<string, string>} names
 * @param {Set<string>} hidden
 * @returns {Cell[][]}
 */
export function rows(model, names, hidden) {
  const shown = model.series.filter((one) => !hidden.has(one.key));
  const header = [model.names ? 'name' : 'time', ...shown.map((one) => names.get(one.key))];
  const lines = model.starts.map((start_ms, at) => [
    model.names ? model.names[at] : new Date(start_ms).toISOString().replace('.000Z', 'Z'),
    ...shown.map((one) => one.values[at]),
  ]);
  return [header, ...lines];
}

/**
 * Write rows as text with CRLF line ends, per RFC 4180.
 * @param {Cell[][]} table
 */
export function written(table) {
  return table.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** @param {Cell} value */
function cell(value) {
  if (typeof value === 'number') return String(value);
  // At the start of a cell and after a semicolon, the separator where commas are decimal points.
  const text = String(value ?? '').replace(/(^|;)(?=[ "]*[=+\-@\t\r＝＋－＠])/g, "$1'");
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/**
 * Make a file name of any title.
 * @param {string} title
 * @param {string} ending
 */
export function fileName(title, ending) {
  const base = title
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return `${base.slice(0, 60) || 'hailwhale'}.${ending}`;
}
