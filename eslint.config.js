/* How the JavaScript is linted; types and formats are checked by tools of their own. */

import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['node_modules/', '.venv/', 'docs/_build/'] },
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: 'module',
      globals: { ...globals.browser, jQuery: 'readonly', HailWhale: 'readonly' },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-implicit-globals': 'error',
      // The service minifies: see hailwhale/web/js_minifier.py for what it relies on.
      'no-sparse-arrays': 'error',
    },
  },
  {
    files: ['static/hailwhale.beacon.js'],
    languageOptions: { sourceType: 'script' },
  },
  {
    // Scripts of pages.
    files: ['tests/static/types/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: { ...globals.jquery, hailwhale: 'writable' },
    },
    rules: { 'no-implicit-globals': 'off' },
  },
];
