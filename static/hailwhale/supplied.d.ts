/* What the service supplies to the modules of the widget, next to the package `uplot`. */

declare module 'hailwhale.css' {
  /** The style of the widget. */
  const css: string;
  export default css;
}
