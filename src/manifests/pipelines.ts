import { version } from '../version.ts'

// How `check` becomes a part of the pipelines of users: a hook of pre-commit, and an action of GitHub. Both run the npm package of the same
// version as the revision of this repository that they are taken from.

const command = 'npx --yes dittofs-operator@'

/** https://pre-commit.com/#new-hooks */
export const preCommitHooks = () => [{
  id: 'dittofs-operator-check',
  name: 'dittofs-operator check',
  description: 'Reports what kubectl apply would report for the DittoServers of this repository. Needs Node 20.19 or newer.',
  entry: `${command}${version} check`,
  // Everything at once: a Secret or a StorageClass in one file counts for a server in another.
  args: ['--filename', '.'],
  pass_filenames: false,
  // The package of npm is not this repository, so pre-commit has nothing to install.
  language: 'system',
  files: '\\.(ya?ml|json)$',
}]

const check = `
arguments=()
while IFS= read -r line; do [ -z "$line" ] || arguments+=(--filename "$line"); done <<< "$PATHS"
while IFS= read -r line; do [ -z "$line" ] || arguments+=("$line"); done <<< "$ARGUMENTS"
check() { ${command}"$VERSION" check "\${arguments[@]}" "$@"; }
code=0
check || code=$?
if [ "$FORMAT" != text ]; then
  report=\${OUTPUT:-dittofs-operator.$FORMAT}
  check --output "$FORMAT" > "$report" || true
  echo "report=$report" >> "$GITHUB_OUTPUT"
fi
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
`.trimStart()

/** Replaced by the runner. */
const expression = (text: string) => `\${{ ${text} }}`

/** https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax */
export const action = () => ({
  name: 'Check DittoServer manifests',
  description: 'Reports what kubectl apply would report, without a cluster, as text and as SARIF, JUnit or JSON.',
  inputs: {
    path: { description: 'Files and folders, one in each line.', default: '.' },
    format: { description: 'Format of the report: sarif, junit or json. text: no report, only the log.', default: 'text' },
    output: { description: 'File of the report. Default: dittofs-operator. and the format.', default: '' },
    arguments: { description: 'More arguments of check, one in each line, such as --warnings-as-errors.', default: '' },
    version: { description: 'Version of the npm package.', default: version },
  },
  outputs: {
    report: { description: 'File of the report.', value: expression('steps.check.outputs.report') },
    'exit-code': {
      description: '0: every object is allowed. 1: one is denied. 2: wrong usage, or nothing to check.',
      value: expression('steps.check.outputs.exit-code'),
    },
  },
  runs: {
    using: 'composite',
    steps: [{
      id: 'check',
      shell: 'bash',
      env: {
        PATHS: expression('inputs.path'),
        FORMAT: expression('inputs.format'),
        OUTPUT: expression('inputs.output'),
        ARGUMENTS: expression('inputs.arguments'),
        VERSION: expression('inputs.version'),
      },
      run: check,
    }],
  },
})
