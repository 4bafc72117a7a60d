import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { disagreements } from '../../release/agreement.ts'
import { changesOf } from '../../release/changelog.ts'
import { localImage, nameOf, publishedImage } from '../../release/image-name.ts'
import { version } from '../../src/version.ts'

const agreeing = {
  version: '1.2.3',
  locked: '1.2.3',
  tag: 'v1.2.3',
  changelog: '# Changelog\n\n## 1.2.3\n\n- One thing.\n\n## 1.2.2\n\n- Another.\n',
  chart: { version: '1.2.3', appVersion: '1.2.3' },
}

await t.test('a consistent release', async t => {
  t.strictSame(disagreements(agreeing), [])
  const { tag, ...untagged } = agreeing
  t.equal(tag, 'v1.2.3')
  t.strictSame(disagreements(untagged), [], 'a dry run has no tag')
})

await t.test('inconsistencies are named', async t => {
  const says = (change: object, pattern: RegExp) => {
    const found = disagreements({ ...agreeing, ...change })
    t.equal(found.length, 1)
    t.match(found[0], pattern)
  }
  says({ tag: 'v1.2.4' }, /^the tag is 'v1\.2\.4', and package\.json says 1\.2\.3: it must be 'v1\.2\.3'$/)
  says({ tag: '1.2.3' }, /^the tag is '1\.2\.3'/)
  says({ locked: '1.2.2' }, /^package-lock\.json says 1\.2\.2, and package\.json 1\.2\.3/)
  says({ chart: { version: '1.2.3', appVersion: '1.2.2' } }, /^manifests\/chart\/Chart\.yaml says 1\.2\.3 and 1\.2\.2/)
  says({ changelog: '# Changelog\n\n## 1.2.2\n\n- Another.\n' }, /^CHANGELOG\.md has no section '## 1\.2\.3' with text$/)
  says({ changelog: '# Changelog\n\n## 1.2.3\n\n## 1.2.2\n\n- Another.\n' }, /^CHANGELOG\.md has no section/)
})

await t.test('the section of a version', async t => {
  t.equal(changesOf(agreeing.changelog, '1.2.3'), '- One thing.')
  t.equal(changesOf('## [1.0.0] - 2026-01-01\n\nText.\n### Fixed\n- It.\n', '1.0.0'), 'Text.\n### Fixed\n- It.')
  t.equal(changesOf(agreeing.changelog, '1.2'), undefined)
})

await t.test('this repository is consistent', async t => {
  const read = async (file: string) => await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
  const { version: locked } = JSON.parse(await read('package-lock.json')) as { version: string }
  const chart = parse(await read('manifests/chart/Chart.yaml')) as { version: string, appVersion: string }
  t.strictSame(disagreements({ version, locked, tag: `v${version}`, changelog: await read('CHANGELOG.md'), chart }), [])
})

await t.test('the image of a release', async t => {
  const digest = `sha256:${'a'.repeat(64)}`
  t.equal(nameOf(publishedImage('ghcr.io/example/dittofs-operator', digest)), `ghcr.io/example/dittofs-operator:${version}@${digest}`)
  t.equal(nameOf(publishedImage('localhost:5000/a/b/dittofs-operator', digest)), `localhost:5000/a/b/dittofs-operator:${version}@${digest}`)
  t.equal(nameOf(localImage), `dittofs-operator:${version}`)
  for (const [repository, given, pattern] of [
    ['dittofs-operator', digest, /^--image 'dittofs-operator': it must be a registry, an owner and a name/],
    ['ghcr.io/Example/dittofs-operator', digest, /^--image 'ghcr\.io\/Example/],
    ['ghcr.io/example/dittofs-operator:1', digest, /^--image/],
    ['ghcr.io/example/dittofs-operator', 'sha256:abc', /^--digest 'sha256:abc': it must be sha256: and 64/],
  ] as const) t.throws(() => publishedImage(repository, given), { name: 'RefusedRelease', message: pattern })
})
