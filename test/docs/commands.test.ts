import t from 'tap'
import { commandsOf, inlineCommandsOf } from './commands.ts'

// How commands are found in a page.

const page = `# Page
Text \`\`\`no block\`\`\`.

\`\`\`sh
# a comment
first --flag   # of no matter
second |
  third \\
  --more
fourth   # or: fifth --flag
sixth <<END
a: 1

# b
END
\`\`\`

## Section

\`\`\`yaml
not: a command
\`\`\`

1. An item

   \`\`\`console
   $ in a list
   \`\`\`

\`\`\`console
$ shown
its output
$ another
\`\`\`
`

t.test('commands, with their sections, lines and alternatives', async t => {
  const found = commandsOf('p.md', page).map(({ section, line, text, isAlternative }) => [section, line, text, isAlternative])
  t.strictSame(found, [
    ['Page', 6, 'first --flag   # of no matter', false],
    ['Page', 7, 'second |\n  third \\\n  --more', false],
    ['Page', 10, 'fourth   # or: fifth --flag', false],
    ['Page', 10, 'fifth --flag', true],
    ['Page', 11, 'sixth <<END\na: 1\n\n# b\nEND', false],
    ['Section', 27, 'in a list', false],
    ['Section', 31, 'shown', false],
    ['Section', 33, 'another', false],
  ])
  t.strictSame(commandsOf('p.md', page).flatMap(({ output }) => output ?? []), ['', 'its output', ''])
})

t.test('commands of kubectl in running text, if they are whole', async t => {
  const text = '# A\nRun `kubectl get pods -A`, not `kubectl apply` or `npm ci`.\n```sh\nsee `kubectl get a`\n```\nThen `kubectl -n b delete c`.'
  t.strictSame(inlineCommandsOf('p.md', text).map(({ line, text }) => [line, text]), [[2, 'kubectl get pods -A'], [6, 'kubectl -n b delete c']])
})

t.test('a block without an end', async t => {
  t.throws(() => commandsOf('p.md', '```sh\nls\n'), { message: 'p.md:1: the block has no end' })
})
