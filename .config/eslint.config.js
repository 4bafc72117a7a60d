import neostandard, { plugins } from 'neostandard'

const typescript = plugins['typescript-eslint']

export default [
  { ignores: ['**/node_modules/', '**/.tap/', '**/dist/'] },
  ...neostandard({ ts: true }),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: new URL('..', import.meta.url).pathname } },
    plugins: { '@typescript-eslint': typescript.plugin },
    rules: {
      // tap waits for its subtests by itself.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }] }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@stylistic/comma-dangle': 'off',
      '@stylistic/max-len': ['error', { code: 140, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }],
      // `void promise` marks a promise that is deliberately not awaited.
      'no-void': 'off',
      complexity: ['error', 16],
      'max-depth': ['error', 4],
      'max-params': ['error', 5],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 260, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  {
    // Code that runs in the simulation must use src/clock.ts and src/random.ts; otherwise a seed would not determine everything.
    files: ['src/cluster/**/*.ts', 'src/controller/**/*.ts', 'src/leader-election/**/*.ts', 'src/command-line/reconcile.ts'],
    rules: {
      'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'setImmediate', 'performance'],
      'no-restricted-imports': ['error', 'node:timers', 'node:timers/promises', 'node:perf_hooks'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Ask the Clock.' },
        { object: 'Math', property: 'random', message: 'Ask the Random.' },
        { object: 'AbortSignal', property: 'timeout', message: 'Use withDeadline, or schedule, with the Clock.' },
      ],
      'no-restricted-syntax': ['error', { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Ask the Clock.' }],
    },
  },
  {
    // The schema is deliberately one table: otherwise the API would be spread over several files.
    files: ['src/dittoserver/*schema*.ts', 'src/dittoserver/pod-fields.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
]
