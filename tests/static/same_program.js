/* Tell whether pairs of scripts are the same programs: reads JSON [[name, script, script], …]. */

import { readFileSync } from 'node:fs';
import { parse } from 'acorn';

/**
 * Return the syntax tree of a script without positions and raw texts.
 * @param {string} text
 */
function tree(text) {
  const found = parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  return JSON.stringify(found, (key, value) =>
    ['start', 'end', 'raw'].includes(key) ? undefined : value,
  );
}

/** @type {[string, string, string][]} */
const pairs = JSON.parse(readFileSync(0, 'utf-8'));
for (const [name, before, after] of pairs) {
  if (tree(before) !== tree(after)) console.log(name);
}
