/* The numbers in HTML tables. */

import { fromColumns } from './model.js';

const DAY = /^\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d.*)?$/;

/**
 * Parse the number a cell shows: `$ 1,234.50` is 1234.5, so is `1.234,50 €`, `(3)` is -3; else 0. Pure.
 * @param {string} text
 */
export function numberIn(text) {
  let digits = text.replace(/[^\d.,()\-−]/g, '').replace('−', '-');
  const negative = /^\(.*\)$/.test(digits) || digits.startsWith('-');
  digits = digits.replace(/[()-]/g, '');
  const comma = digits.lastIndexOf(',');
  const dot = digits.lastIndexOf('.');
  const decimal = comma > dot ? ',' : '.';
  const at = Math.max(comma, dot);
  const single = digits.split(decimal).length === 2;
  const other = digits.includes(decimal === ',' ? '.' : ',');
  // A single mark before three digits separates thousands, unless the other mark does so.
  const small = decimal === '.' && /^0?\./.test(digits);
  const fraction = at >= 0 && single && (other || digits.length - at !== 4 || small);
  const whole = (fraction ? digits.slice(0, at) : digits).replace(/[.,]/g, '');
  const value = Number(`${whole || 0}.${fraction ? digits.slice(at + 1) : 0}`);
  return negative ? -value : value || 0;
}

/**
 * Make a model of rows of texts, the first of them the heads: over time, or over names. Pure.
 * @param {string[][]} rows
 */
export function modelOf(rows) {
  const [head, ...body] = rows;
  const names = body.map((row) => row[0]);
  const dated = names.length > 0 && names.every((name) => DAY.test(name));
  const times = names.map((name) => Date.parse(name.length === 7 ? `${name}-01` : name));
  const order = names.map((_, at) => at);
  if (dated) order.sort((a, b) => times[a] - times[b]);
  const columns = head.slice(1).map((name, column) => ({
    name,
    values: order.map((at) => numberIn(body[at][column + 1] || '')),
  }));
  return fromColumns(names, columns, dated ? order.map((at) => times[at]) : null);
}

/**
 * Return the texts of a table, heads first, without its foot, which holds sums.
 * @param {HTMLTableElement} table
 */
export function rowsOf(table) {
  return [...table.rows]
    .filter((row) => !row.closest('tfoot'))
    .map((row) => [...row.cells].map((cell) => (cell.textContent || '').trim()));
}
