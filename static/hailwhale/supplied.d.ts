/* Modules that the service supplies to the widget, in addition to the package `uplot`. */

declare module 'hailwhale.css' {
  /** The style of the widget. */
  const css: string;
  export default css;
}
