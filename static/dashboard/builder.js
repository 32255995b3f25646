/* The builder: code to copy for what is on the screen, with a tab for each language or tool. */

import { el, say } from '../hailwhale/dom.js';
import { copyButton } from './parts.js';
import { asking, counting } from './snippets.js';

export function builder() {
  const count = new Pane('Count another event', 'count');
  const ask = new Pane('Show or query this', 'ask');
  const text = el('p', { class: 'muted' }, 'Code for what is on the screen, to copy.');
  const element = el(
    'section',
    { class: 'paper builder', 'aria-label': 'Builder' },
    el('header', {}, el('h2', {}, 'Use it'), text),
    el('div', { class: 'panes' }, count.element, ask.element),
  );

  /**
   * Write the lines for a state and the options of its graph.
   * @param {import('./state.js').State} state
   * @param {{depth: number, view: HailWhale.View}} options
   */
  function show(state, { depth, view }) {
    const { origin } = location;
    // A formula cannot be counted: its metrics can.
    const names = (state.metric.match(/[A-Za-z_][\w .$%-]*/g) || []).map((name) => name.trim());
    const counted = names.filter((name) => name && name !== 'hits' && name !== 'days');
    const metrics = Object.fromEntries(counted.map((name) => [name, 1]));
    const drawn = ['table', 'number'].includes(view) ? 'line' : view;
    count.show(counting(origin, { pk: state.pk, within: state.within, metrics }));
    ask.show(asking(origin, { ...state, depth }, { view: drawn }));
  }

  return { element, show };
}

class Pane {
  /**
   * @param {string} title
   * @param {string} kind
   */
  constructor(title, kind) {
    this.kind = kind;
    this.chosen = '';
    /** @type {import('./snippets.js').Texts} */
    this.texts = {};
    /** @type {HTMLButtonElement[]} */
    this.tabs = [];
    this.code = el('code');
    this.list = el('div', {
      role: 'tablist',
      'aria-label': title,
      class: 'tabs',
      onkeydown: (event) => this.pressed(event),
    });
    const panel = { role: 'tabpanel', id: `${kind}-lines`, tabindex: '0', 'aria-label': title };
    const copy = copyButton(() => this.code.textContent || '');
    const lines = el('div', { class: 'lines' }, el('pre', panel, this.code), copy);
    this.element = el('div', { class: 'pane' }, el('h3', {}, title), this.list, lines);
  }

  /** @param {import('./snippets.js').Texts} texts */
  show(texts) {
    this.texts = texts;
    if (!this.tabs.length) {
      this.tabs = Object.keys(texts).map((name) => this.tab(name));
      this.list.append(...this.tabs);
    }
    this.choose(this.chosen || Object.keys(texts)[0]);
  }

  /** @param {string} name */
  tab(name) {
    const onclick = () => this.choose(name);
    const attributes = { type: 'button', role: 'tab', 'aria-controls': `${this.kind}-lines` };
    return el('button', { ...attributes, onclick }, name);
  }

  /** @param {string} name */
  choose(name) {
    this.chosen = name;
    for (const tab of this.tabs) {
      const on = tab.textContent === name;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    say(this.code, this.texts[name]);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const { tabs } = this;
    const at = tabs.findIndex((tab) => tab.tabIndex === 0);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.click();
    next.focus();
  }
}
