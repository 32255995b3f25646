/* The readout at the cursor: the bucket, and every series' value in it, the largest first. */
(function (hw) {
  'use strict';

  const { el, say } = hw.dom;
  const MOST = 12;

  class Readout {
    constructor() {
      this.when = el('p', { class: 'when' });
      this.rows = el('div', { class: 'rows' });
      this.more = el('p', { class: 'more' });
      this.element = el('div', { class: 'readout', hidden: true }, this.when, this.rows, this.more);
      this.lines = [];
    }

    /** Show `when` and `values` of {name, text, color, was} beside `left` of a plot `width` wide. */
    show(when, values, left, width) {
      say(this.when, when);
      values.slice(0, MOST).forEach((value, place) => {
        if (!this.lines[place]) this.lines[place] = this.line();
        const line = this.lines[place];
        line.swatch.style.setProperty('--swatch', value.color);
        say(line.name, value.name);
        say(line.text, value.text);
        say(line.was, value.was || '');
        if (!line.row.isConnected) this.rows.append(line.row);
      });
      this.lines.splice(Math.min(values.length, MOST)).forEach((line) => line.row.remove());
      say(this.more, values.length > MOST ? `and ${values.length - MOST} more` : '');
      this.element.hidden = false;
      const own = this.element.offsetWidth;
      const right = left + 14 + own <= width;
      this.element.style.transform = `translateX(${Math.max(0, Math.round(right ? left + 14 : left - 14 - own))}px)`;
    }

    line() {
      const [swatch, name, text, was] = [el('i', { class: 'swatch' }), el('span', { class: 'name' }), el('b', {}), el('span', { class: 'was' })];
      return { row: el('p', {}, swatch, name, text, was), swatch, name, text, was };
    }

    hide() {
      this.element.hidden = true;
    }
  }

  hw.Readout = Readout;
})(globalThis.HailWhale = globalThis.HailWhale || {});
