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
      // `void promise` says that nobody waits for it, on purpose.
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
    // The schema is one table on purpose: splitting it would scatter the API over files.
    files: ['src/dittoserver/*schema*.ts', 'src/dittoserver/pod-fields.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
]
