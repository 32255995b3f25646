/* The widget as pages load it: `HailWhale`, and the plugin for the page's jQuery.
 *
 * It is served as one script, with the modules it imports, uPlot and the style.
 */

import { Graph } from './hailwhale/graph.js';
import { home } from './hailwhale/home.js';
import { complain, graph, plugin } from './hailwhale/plugin.js';

/** @type {typeof HailWhale} */
const api = { Graph, complain, graph, home: home(), plugin };

globalThis.HailWhale = Object.assign(globalThis.HailWhale || {}, api);

if (typeof jQuery === 'function') plugin(jQuery);
