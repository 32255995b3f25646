/* The builder: the lines to copy for what is on the screen, one tab for each place they go to. */
import { copyButton, el, say } from './parts.js';
import { asking, counting } from './snippets.js';

const WORDS = { count: 'Count one more of these', ask: 'Show this, or ask for it' };

export function builder() {
  const panes = Object.fromEntries(Object.keys(WORDS).map((kind) => [kind, new Pane(WORDS[kind], kind)]));
  const element = el('section', { class: 'paper builder', 'aria-label': 'Builder' }, el('header', {}, el('h2', {}, 'Use it'), el('p', { class: 'muted' }, 'What is on the screen, to copy.')),
    el('div', { class: 'panes' }, ...Object.values(panes).map((pane) => pane.element)));

  /** Write it all for a state and the options of its graph. */
  function show(state, options) {
    const { origin } = location;
    // Of a formula there is nothing to count: its metrics are.
    const metrics = Object.fromEntries((state.metric.match(/[A-Za-z_][\w .$%-]*/g) || []).map((name) => name.trim()).filter((name) => name && name !== 'hits' && name !== 'days').map((name) => [name, 1]));
    panes.count.show(counting(origin, { pk: state.pk, within: state.within, metrics }));
    panes.ask.show(asking(origin, { ...state, depth: options.depth }, { view: ['table', 'number'].includes(options.view) ? 'line' : options.view }));
  }

  return { element, show };
}

class Pane {
  constructor(title, kind) {
    this.code = el('code', {});
    this.tabs = el('div', { role: 'tablist', 'aria-label': title, class: 'tabs', onkeydown: (event) => this.pressed(event) });
    this.panel = el('pre', { role: 'tabpanel', id: `${kind}-lines`, tabindex: '0', 'aria-label': title }, this.code);
    this.element = el('div', { class: 'pane' }, el('h3', {}, title), this.tabs, el('div', { class: 'lines' }, this.panel, copyButton(() => this.code.textContent)));
    this.kind = kind;
    this.chosen = '';
  }

  show(texts) {
    this.texts = texts;
    if (!this.tabs.children.length) {
      this.tabs.append(...Object.keys(texts).map((name) => el('button', { type: 'button', role: 'tab', 'aria-controls': `${this.kind}-lines`, onclick: () => this.choose(name) }, name)));
    }
    this.choose(this.chosen || Object.keys(texts)[0]);
  }

  choose(name) {
    this.chosen = name;
    for (const tab of this.tabs.children) {
      const on = tab.textContent === name;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    say(this.code, this.texts[name]);
  }

  pressed(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const tabs = [...this.tabs.children];
    const next = tabs[(tabs.findIndex((tab) => tab.tabIndex === 0) + step + tabs.length) % tabs.length];
    this.choose(next.textContent);
    next.focus();
  }
}
