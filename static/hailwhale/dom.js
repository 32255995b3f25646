/* Elements made from names, attributes and text. Text is only ever set as text: never as markup. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Attributes of an element. `on…` is a listener, `style` has CSS properties by name; null, undefined
 * and false leave an attribute out.
 * @typedef {{
 *   style?: Record<string, string>,
 *   onclick?: (event: MouseEvent) => unknown,
 *   onkeydown?: (event: KeyboardEvent) => unknown,
 *   [name: string]: string | number | boolean | null | undefined | Record<string, string>
 *     | ((event: never) => unknown),
 * }} Attributes
 */
/** @typedef {Node | string | null | undefined} Child */

/**
 * Make an element: `el('button', {class: 'x', onclick: f}, 'text', child)`; null children are left
 * out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...Child} children
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') {
      made.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    } else if (typeof value === 'object') {
      for (const [property, text] of Object.entries(value)) made.style.setProperty(property, text);
    } else made.setAttribute(key, value === true ? '' : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
}

/**
 * Make an SVG element.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 */
export function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * Make an icon of one path, for buttons; screen readers skip it.
 * @param {string} path
 */
export function icon(path) {
  return svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

/**
 * Set text where it differs: an unchanged text is neither announced nor painted again.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Let the reader save a file.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @type {CSSStyleSheet | undefined} */
let sheet;

/**
 * Style a shadow root by a sheet that a strict Content-Security-Policy allows.
 * @param {ShadowRoot} root
 * @param {string} css
 */
export function style(root, css) {
  if (!('adoptedStyleSheets' in root)) {
    /** @type {ShadowRoot} */ (root).append(el('style', {}, css));
    return;
  }
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  root.adoptedStyleSheets = [sheet];
}
