/* Elements made from names, attributes and text. Text is only ever set as text: never as markup. */
(function (hw) {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';

  /** `el('button', {class: 'x', onclick: f}, 'text', child)`; null children are left out. */
  function el(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
      else if (key === 'style') Object.entries(value).forEach(([property, text]) => made.style.setProperty(property, text));
      else made.setAttribute(key, value === true ? '' : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  /** A small picture of one path, for buttons; it says nothing to a screen reader. */
  function icon(path) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 16 16');
    svg.setAttribute('aria-hidden', 'true');
    const drawn = document.createElementNS(SVG, 'path');
    drawn.setAttribute('d', path);
    svg.append(drawn);
    return svg;
  }

  /** Set text where it differs: what stays as it was is not announced, nor painted, again. */
  function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  /** Hand a file to the reader. */
  function download(name, blob) {
    const url = URL.createObjectURL(blob);
    const link = el('a', { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  /** The style of the widget in a shadow root, by a sheet that a strict CSP allows. */
  function style(root, css) {
    if (!('adoptedStyleSheets' in root)) {
      root.append(el('style', {}, css));
      return;
    }
    if (!hw.sheet) {
      hw.sheet = new CSSStyleSheet();
      hw.sheet.replaceSync(css);
    }
    root.adoptedStyleSheets = [hw.sheet];
  }

  hw.dom = { el, icon, say, download, style };
})(globalThis.HailWhale = globalThis.HailWhale || {});
