import tseslint from 'typescript-eslint';

const generatorHelpers = '/^(receive|receiveChangeCipherSpec|privateKey|lookUpSession)$/';

export default tseslint.config(
  { ignores: ['dist/', '.bench/', '.tap/', 'node_modules/', '.peers/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'no-restricted-syntax': [
        'error',
        {
          selector: `ExpressionStatement > CallExpression[callee.name=${generatorHelpers}]`,
          message: 'A handshake step called without yield* is silently skipped.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tap's t.skip and the like return promises that nobody needs to wait for, and async is how a test ends.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
