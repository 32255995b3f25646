/* The legend: each series with its color and total; a click hides it, with Alt all others. */

import { el, say } from './dom.js';
import { percent } from './formats.js';
import { change } from './model.js';

/**
 * A series as it is listed.
 * @typedef {object} Entry
 * @property {string} key
 * @property {string} name
 * @property {string} total
 * @property {string} change since the period compared with, '' without one
 * @property {number | null} share the same as a share
 * @property {(number | null)[]} values
 * @property {string} color
 * @property {boolean} hidden
 */

export class Legend {
  /**
   * @param {object} on
   * @param {(key: string, alone: boolean) => void} on.onToggle called when a series is clicked
   * @param {(key: string | null) => void} on.onFocus called when a series is pointed at, or none
   */
  constructor({ onToggle, onFocus }) {
    this.element = el('ul', { class: 'legend', part: 'legend' });
    /** @type {Map<string, ReturnType<Legend['item']>>} */
    this.items = new Map();
    this.onToggle = onToggle;
    this.onFocus = onFocus;
  }

  /**
   * Show entries, reusing the elements of those shown before. While one of them has the focus, the
   * others keep their places, so that the list does not move under a keyboard user.
   * @param {Entry[]} entries
   */
  draw(entries) {
    const wanted = new Set(entries.map((one) => one.key));
    const held = this.element.querySelector(':focus');
    for (const [key, item] of this.items) {
      if (!wanted.has(key)) {
        item.row.remove();
        this.items.delete(key);
      }
    }
    entries.forEach((one, at) => {
      const item = this.items.get(one.key) || this.item(one.key);
      this.items.set(one.key, item);
      const there = this.element.children[at];
      if (there !== item.row && !(held && item.row.parentNode)) {
        this.element.insertBefore(item.row, there || null);
      }
      say(item.name, one.name);
      say(item.total, one.total);
      say(item.change, one.change);
      item.swatch.style.setProperty('--swatch', one.color);
      item.button.setAttribute('aria-pressed', String(!one.hidden));
      item.button.title = one.name;
    });
  }

  /** @param {string} key */
  item(key) {
    const swatch = el('i', { class: 'swatch' });
    const name = el('span', { class: 'name' });
    const total = el('b', { class: 'total' });
    const change = el('span', { class: 'change' });
    const button = el(
      'button',
      {
        type: 'button',
        onclick: (event) => this.onToggle(key, event.altKey),
        ondblclick: () => this.onToggle(key, true),
        onpointerenter: () => this.onFocus(key),
        onpointerleave: () => this.onFocus(null),
      },
      ...[swatch, name, total, change],
    );
    return { row: el('li', {}, button), button, swatch, name, total, change };
  }
}

/**
 * Return the entries of a model.
 * @param {HailWhale.Model} model
 * @param {Pick<import('./graph.js').Graph, 'names' | 'hidden' | 'options' | 'color' | 'written'>} graph
 * @returns {Entry[]}
 */
export function entriesOf(model, graph) {
  return model.series.map(({ key, metric, total, values, ghost }) => {
    const share = ghost ? change(total, ghost.total) : null;
    return {
      key,
      name: graph.names.get(key) || '',
      total: graph.written(total, metric),
      values,
      share,
      change: ghost ? percent(share, graph.options.locale, true) : '',
      color: graph.color(key),
      hidden: graph.hidden.has(key),
    };
  });
}
