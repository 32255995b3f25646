/* The big-number view: each series' total, its change since the period compared with, its course. */
(function (hw) {
  'use strict';

  const { el, say } = hw.dom;
  const SVG = 'http://www.w3.org/2000/svg';
  const WIDTH = 120;
  const HEIGHT = 28;

  /** The path of a sparkline of `values` within `width` by `height`. Pure. */
  function spark(values, width, height) {
    const least = Math.min(0, ...values);
    const most = Math.max(0, ...values);
    const span = most - least || 1;
    const step = values.length > 1 ? width / (values.length - 1) : 0;
    return values.map((value, at) => {
      const x = (at * step).toFixed(1);
      const y = (height - 1 - ((value - least) / span) * (height - 2)).toFixed(1);
      return `${at ? 'L' : 'M'}${x} ${y}`;
    }).join('');
  }

  class Numbers {
    constructor() {
      this.element = el('dl', { class: 'numbers' });
      this.items = [];
    }

    /** Show `entries` of {name, text, change, share, values, color}. */
    draw(entries) {
      entries.forEach((one, place) => {
        if (!this.items[place]) this.items[place] = this.item();
        const item = this.items[place];
        say(item.name, one.name);
        say(item.text, one.text);
        say(item.change, one.change || '');
        item.change.dataset.way = one.share > 0 ? 'up' : one.share < 0 ? 'down' : '';
        item.path.setAttribute('d', spark(one.values, WIDTH, HEIGHT));
        item.path.style.stroke = one.color;
        if (!item.row.isConnected) this.element.append(item.row);
      });
      this.items.splice(entries.length).forEach((item) => item.row.remove());
    }

    item() {
      const svg = document.createElementNS(SVG, 'svg');
      svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
      svg.setAttribute('preserveAspectRatio', 'none');
      svg.setAttribute('aria-hidden', 'true');
      const path = document.createElementNS(SVG, 'path');
      svg.append(path);
      const [name, text, change] = [el('dt'), el('dd', { class: 'big' }), el('dd', { class: 'change' })];
      return { row: el('div', {}, name, text, change, el('dd', { class: 'spark' }, svg)), name, text, change, path };
    }
  }

  hw.Numbers = Numbers;
  hw.spark = spark;
})(globalThis.HailWhale = globalThis.HailWhale || {});
