/* Where the widget came from: the address of the service, unless a page or an option names another. */

const script = globalThis.document?.currentScript;
const origin =
  script instanceof HTMLScriptElement && script.src ? script.src.replace(/\/static\/.*$/, '') : '';

/** Return the address; a page may set `HailWhale.home`. */
export function home() {
  return globalThis.HailWhale?.home || origin;
}
