/* The legend: each series with its colour and total; a click hides it, with Alt all others. */
(function (hw) {
  'use strict';

  const { el, say } = hw.dom;

  class Legend {
    /** `onToggle(key, alone)` is told what was clicked, `onFocus(key or null)` what is pointed at. */
    constructor({ onToggle, onFocus }) {
      this.element = el('ul', { class: 'legend', part: 'legend' });
      this.items = new Map();
      this.onToggle = onToggle;
      this.onFocus = onFocus;
    }

    /** Show `entries` of {key, name, total, change, color, hidden, dashed}, keeping what is there. */
    draw(entries) {
      const wanted = new Set(entries.map((one) => one.key));
      for (const [key, item] of this.items) {
        if (!wanted.has(key)) {
          item.row.remove();
          this.items.delete(key);
        }
      }
      entries.forEach((one, place) => {
        if (!this.items.has(one.key)) this.items.set(one.key, this.item(one.key));
        const item = this.items.get(one.key);
        if (this.element.children[place] !== item.row) this.element.insertBefore(item.row, this.element.children[place] || null);
        say(item.name, one.name);
        say(item.total, one.total);
        say(item.change, one.change || '');
        item.swatch.style.setProperty('--swatch', one.color);
        item.button.setAttribute('aria-pressed', String(!one.hidden));
        item.button.title = one.name;
      });
    }

    item(key) {
      const swatch = el('i', { class: 'swatch' });
      const name = el('span', { class: 'name' });
      const total = el('b', { class: 'total' });
      const change = el('span', { class: 'change' });
      const button = el('button', {
        type: 'button',
        onclick: (event) => this.onToggle(key, event.altKey),
        ondblclick: () => this.onToggle(key, true),
        onpointerenter: () => this.onFocus(key),
        onpointerleave: () => this.onFocus(null),
      }, swatch, name, total, change);
      return { row: el('li', {}, button), button, swatch, name, total, change };
    }
  }

  hw.Legend = Legend;
})(globalThis.HailWhale = globalThis.HailWhale || {});
