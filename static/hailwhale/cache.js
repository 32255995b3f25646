/* Values that are slow to make, kept by key. */

/**
 * Return what a map has for a key, or make it.
 * @template Value
 * @param {Map<string, Value>} map
 * @param {string} key
 * @param {() => Value} make
 * @returns {Value}
 */
export function cached(map, key, make) {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}
