/* Configures the linter of the JavaScript. tsc checks types, and prettier the format. */

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
      // Required by the minifier: see hailwhale/web/js_minifier.py.
      'no-sparse-arrays': 'error',
    },
  },
  {
    files: ['static/hailwhale.beacon.js'],
    languageOptions: { sourceType: 'script' },
  },
  {
    // Scripts for web pages.
    files: ['tests/static/types/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: { ...globals.jquery, hailwhale: 'writable' },
    },
    rules: { 'no-implicit-globals': 'off' },
  },
];
