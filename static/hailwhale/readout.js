/* The readout at the cursor: a bucket, and the value of each series in it, the largest first. */

import { el, say } from './dom.js';

const MOST = 12;

/** @typedef {{name: string, text: string, was: string, color: string, value: number | null}} Value */

export class Readout {
  constructor() {
    this.when = el('p', { class: 'when' });
    this.rows = el('div', { class: 'rows' });
    this.more = el('p', { class: 'more' });
    const parts = [this.when, this.rows, this.more];
    this.element = el('div', { class: 'readout', hidden: true }, ...parts);
    /** @type {ReturnType<Readout['line']>[]} */
    this.lines = [];
  }

  /**
   * Show values next to the cursor.
   * @param {string} when
   * @param {Value[]} values
   * @param {number} left of the cursor, in pixels
   * @param {number} width of the plot
   */
  show(when, values, left, width) {
    say(this.when, when);
    values.slice(0, MOST).forEach((value, at) => {
      if (!this.lines[at]) this.lines[at] = this.line();
      const line = this.lines[at];
      line.swatch.style.setProperty('--swatch', value.color);
      say(line.name, value.name);
      say(line.text, value.text);
      say(line.was, value.was);
      if (!line.row.isConnected) this.rows.append(line.row);
    });
    this.lines.splice(Math.min(values.length, MOST)).forEach((line) => line.row.remove());
    say(this.more, values.length > MOST ? `and ${values.length - MOST} more` : '');
    this.element.hidden = false;
    const own = this.element.offsetWidth;
    const x = left + 14 + own <= width ? left + 14 : left - 14 - own;
    this.element.style.transform = `translateX(${Math.max(0, Math.round(x))}px)`;
  }

  line() {
    const swatch = el('i', { class: 'swatch' });
    const name = el('span', { class: 'name' });
    const text = el('b');
    const was = el('span', { class: 'was' });
    return { row: el('p', {}, swatch, name, text, was), swatch, name, text, was };
  }

  hide() {
    this.element.hidden = true;
  }
}
